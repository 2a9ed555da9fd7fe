"""IAM where ministack is laxer than AWS: a request's resources, and AWS's further checks."""
