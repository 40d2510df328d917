"""A store of any size: permits and all that they carry, as years of service would have left them."""
