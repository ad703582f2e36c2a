"""The course as a static site: pages, the page's Python, and the front end that joins them."""
