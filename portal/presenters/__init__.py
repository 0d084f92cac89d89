"""From numbers to what is drawn: charts, addresses and words of pages. No queries."""
