"""IAM where ministack is laxer than AWS: what a request is about, and what else AWS asks of it."""
