"""The policy: dated packs of rules (`packs/*.yaml`) and the pure function that answers by them.

`decide.decide` says what a person is due and why; `needs.facts_to_ask` which facts a case has to have
confirmed; `explain` puts an answer into words. Nothing here does I/O once a pack is loaded, and nothing
here imports the rest of the house but its errors.
"""
