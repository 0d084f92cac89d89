"""Search of everything in a service: `gather` asks each kind of thing, `page_index` knows the pages by words. Called by
`portal.views.search`.
"""
