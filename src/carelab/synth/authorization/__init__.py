"""Prior authorization: requests, payer policies, decisions and appeals."""
