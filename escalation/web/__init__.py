"""What every page of the desk shares: layout, look, languages, security headers, error pages."""
