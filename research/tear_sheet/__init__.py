"""The tear sheet of a replay: one HTML file that needs nothing else.

record.py       everything a page shows, made from a replay; store.py writes and reads it
trips.py        round trips with reasons and excursion; holdings.py who was held when; rows.py the row of an instant
benchmark.py    a benchmark from a file
caveats.py      what this one backtest cannot show
periods.py      months and years
axis.py         rows -> columns of a screen, peaks kept; scale.py round values; paths.py SVG path data
chart.py        what a drawing consists of; time_charts.py and bar_charts.py the drawings
figures.py      headline and all figures; tables.py the tables; settings.py parameters and hashes; words.py numbers
page.py         the whole, by page.html (Jinja), page.css and page.js
"""
