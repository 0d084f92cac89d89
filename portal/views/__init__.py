"""Pages, one file per topic. They translate between requests and the domain, and decide nothing."""
