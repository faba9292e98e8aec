"""Which instruments can be traded on a day, and why the others cannot, from what was known by then.

tickers     the SEC's company tickers with exchange -> TickerCIKs_{date}.parquet
spells      a ticker's times: delisted and reused tickers, index membership, sectors
liquidity   price, dollar volume, volatility, reverse splits, measured on bars up to the day
build       the table of one day: included, or every reason against it
table_file  written whole or not at all
cli         openbell universe tickers | build | show
"""
