"""A worker in Python, with the standard library alone: momentum over a look-back that it chooses on the training period.

The task comes as JSON on standard input. The result goes as JSON into the file $FOLDSTREAM_OUT; what happens on the way goes
as lines of JSON into $FOLDSTREAM_EVENTS. What is printed becomes the log.
"""

import csv
import json
import os
import sys


def tell(**event):
    """Append an event: progress={...}, param={...}, metric={...}, tag={...} or artifact=path; step=n with a metric is a point of it."""
    with open(os.environ["FOLDSTREAM_EVENTS"], "a", encoding="utf-8") as events:
        events.write(json.dumps(event) + "\n")


def read_prices(path):
    """Return the dates and, by instrument, the closes."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    names = rows[0][1:]
    return [row[0] for row in rows[1:]], {n: [float(row[i + 1]) for row in rows[1:]] for i, n in enumerate(names)}


def within(dates, segment):
    """Return the places of the sessions of a segment, [start, end] with None for an open end."""
    start, end = segment
    return [i for i, d in enumerate(dates) if (start is None or d >= start) and (end is None or d <= end)]


def momentum(closes, i, back):
    """Return how much a close rose over the sessions before it; None where the prices do not go so far back."""
    return closes[i] / closes[i - back] - 1 if i >= back else None


def label(closes, i, horizon):
    """Return what the signal of session i earns: bought at the next close, held for the horizon. None after the end."""
    return closes[i + 1 + horizon] / closes[i + 1] - 1 if i + 1 + horizon < len(closes) else None


def ranks(values):
    """Return the rank of each value; equal ones share the mean of theirs."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    out, at = [0.0] * len(values), 0
    while at < len(order):
        end = at
        while end < len(order) and values[order[end]] == values[order[at]]:
            end += 1
        for i in order[at:end]:
            out[i] = (at + end - 1) / 2
        at = end
    return out


def correlation(xs, ys):
    """Return the correlation of two lists; None where one does not vary."""
    mx, my = sum(xs) / len(xs), sum(ys) / len(ys)
    sxy = sum((x - mx) * (y - my) for x, y in zip(xs, ys))
    sxx, syy = sum((x - mx) ** 2 for x in xs), sum((y - my) ** 2 for y in ys)
    return sxy / (sxx * syy) ** 0.5 if sxx > 0 and syy > 0 else None


def rank_ic(prices, sessions, back, horizon, last):
    """Return the mean rank correlation, over sessions, of score and label. Labels that end after the place last are left out."""
    all_ics = []
    for i in sessions:
        if i + 1 + horizon > last:
            continue
        pairs = [(momentum(c, i, back), label(c, i, horizon)) for c in prices.values()]
        pairs = [p for p in pairs if None not in p]
        ic = correlation(ranks([p[0] for p in pairs]), ranks([p[1] for p in pairs])) if len(pairs) > 2 else None
        if ic is not None:
            all_ics.append(ic)
    return sum(all_ics) / len(all_ics) if all_ics else None


def main():
    task = json.load(sys.stdin)
    data = {d["name"]: d["path"] for d in task["data"]}
    dates, prices = read_prices(data["prices"])
    train, test = within(dates, task["segments"]["train"]), within(dates, task["segments"]["test"])
    horizon, looks = task["horizon"] or 1, task["task"]["model"]["kwargs"]["look_backs"]

    ics = {}
    for n, back in enumerate(looks):
        ics[back] = rank_ic(prices, train, back, horizon, train[-1])  # no label that reads a session after the training
        print(f"look-back {back}: rank IC {ics[back]} on {len(train)} sessions")
        tell(progress={"percent": 90 * (n + 1) / len(looks), "step": n + 1, "message": f"look-back {back}"})
        tell(metric={"train_rank_ic": ics[back]}, step=back)  # a curve over the look-backs, to be watched as it comes
    best = max(looks, key=lambda b: -1.0 if ics[b] is None else ics[b])
    tell(param={"look_back": best}, metric={"train_rank_ic": ics[best]})  # without a step: what it comes to

    with open("look_backs.json", "w", encoding="utf-8") as file:
        json.dump({str(b): ic for b, ic in ics.items()}, file)
    tell(artifact={"name": "look_backs", "path": "look_backs.json", "type": "application/json"})

    rows = []
    for i in test:
        for name, closes in prices.items():
            day = closes[i + 2] / closes[i + 1] - 1 if i + 2 < len(closes) else None
            rows.append([dates[i], name, momentum(closes, i, best), label(closes, i, horizon), day])
    frame = {"columns": ["datetime", "instrument", "score", "label", "return"], "data": rows}
    ic = rank_ic(prices, test, best, horizon, len(dates) - 1)
    with open(os.environ["FOLDSTREAM_OUT"], "w", encoding="utf-8") as file:
        json.dump({"metrics": {"rank_ic": ic}, "frames": {"pred": frame}}, file)
    tell(progress={"percent": 100})


if __name__ == "__main__":
    main()
