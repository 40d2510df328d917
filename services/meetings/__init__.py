"""The joint meeting (联席会议): what no machine can settle comes before it, and what it settles takes effect."""
