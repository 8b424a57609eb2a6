/// The fixed parts of the HTML report.
enum HTMLPage {
    static let template = #"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Anyloop matrix</title>
        <style>
        @STYLE@
        </style>
        </head>
        <body>
        <header>
          <h1>Anyloop matrix</h1>
          <span id="verdict" class="pill"></span>@LINK@
          <div id="totals"></div>
        </header>
        <nav>
          <input id="filter" type="search" placeholder="Filter fixtures…" aria-label="Filter fixtures" autocomplete="off">
          <label><input id="only" type="checkbox"> only what failed</label>
          <button id="open">Open all</button><button id="shut">Close all</button>
          <span id="key"><i class="passed"></i>passed <i class="failed"></i>failed <i class="known"></i>known
          <i class="stale"></i>stale <i class="skipped"></i>skipped</span>
        </nav>
        <main>
          <table id="grid"><thead></thead><tbody></tbody></table>
          <p id="none" hidden>No fixture fits the filter.</p>
          <section id="failures"></section>
        </main>
        <footer id="facts"></footer>
        <script type="application/json" id="data">
        @DATA@
        </script>
        <script>
        @SCRIPT@
        </script>
        </body>
        </html>

        """#

    static let style = #"""
        :root { color-scheme: light dark;
          --bg: light-dark(#fbfbfa, #16181b); --card: light-dark(#fff, #1d2024); --ink: light-dark(#1c1e21, #e6e7e9);
          --dim: light-dark(#6b7076, #9298a0); --line: light-dark(#e4e5e3, #2c3036); --hover: light-dark(#f3f4f2, #23272c);
          --passed: light-dark(#2f8f4e, #4fb071); --failed: light-dark(#c8322b, #f2645a);
          --known: light-dark(#b47d10, #d9a441); --stale: light-dark(#8a4fc0, #b98ae6); --skipped: light-dark(#b8bcc0, #565c64);
          --tint: light-dark(#fdeceb, #3a2123); --code: light-dark(#f4f5f3, #131518); --link: light-dark(#2760b8, #7fb0ff); }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--bg); color: var(--ink);
          font: 14px/1.45 system-ui, -apple-system, "Segoe UI", "Liberation Sans", sans-serif; }
        header, nav, main, footer { max-width: 1180px; margin: 0 auto; padding: 0 24px; }
        header { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 14px; padding-top: 24px; }
        h1 { font-size: 20px; font-weight: 650; margin: 0; letter-spacing: -.01em; }
        h2 { font-size: 16px; margin: 36px 0 10px; }
        #totals { flex-basis: 100%; color: var(--dim); }
        .pill { border: 0; border-radius: 99px; padding: 2px 11px; font: inherit; font-size: 13px; font-weight: 600; color: #fff;
          background: var(--passed); }
        .pill.failed { background: light-dark(#c8322b, #b8372f); } .pill.stale { background: light-dark(#8a4fc0, #7d49ae); }
        header > a { color: var(--link); margin-left: auto; }
        .pill a { color: inherit; text-decoration: none; }
        nav { position: sticky; top: 0; z-index: 3; display: flex; flex-wrap: wrap; align-items: center; gap: 8px 12px;
          background: var(--bg); padding-top: 14px; padding-bottom: 10px; }
        input[type=search] { width: 260px; }
        input[type=search], button { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line);
          border-radius: 7px; padding: 4px 10px; }
        button { cursor: pointer; } button:hover { background: var(--hover); }
        :focus-visible { outline: 2px solid var(--link); outline-offset: 1px; }
        label { color: var(--dim); cursor: pointer; }
        #key { margin-left: auto; color: var(--dim); font-size: 12px; }
        i { display: inline-block; width: 9px; height: 9px; border-radius: 3px; margin: 0 3px 0 8px; background: var(--skipped); }
        i.passed, .bar b.passed { background: var(--passed); } i.failed, .bar b.failed { background: var(--failed); }
        i.known, .bar b.known { background: var(--known); } i.stale, .bar b.stale { background: var(--stale); }
        #grid { width: 100%; border-collapse: separate; border-spacing: 0; background: var(--card);
          border: 1px solid var(--line); border-radius: 10px; overflow: clip; }
        th { text-align: left; font-weight: 600; font-size: 12.5px; color: var(--dim); padding: 8px 12px;
          background: var(--card); border-bottom: 1px solid var(--line); }
        td { padding: 5px 12px; border-top: 1px solid var(--line); vertical-align: middle; }
        tbody tr:first-child td { border-top: 0; }
        th + th, td + td { width: 138px; }
        tr.group, tr.fixture { cursor: pointer; } tr.group:hover td, tr.fixture:hover td { background: var(--hover); }
        tr.group td:first-child { font-weight: 600; }
        tr.fixture td { padding-top: 3px; padding-bottom: 3px; font-size: 13px; }
        tr.fixture td:first-child { padding-left: 34px; }
        tr.bad td:first-child::after { content: ""; display: inline-block; width: 7px; height: 7px; border-radius: 9px;
          background: var(--failed); margin-left: 8px; vertical-align: 1px; }
        .twist { display: inline-block; width: 16px; color: var(--dim); transition: transform .12s; }
        .open > td .twist { transform: rotate(90deg); transform-origin: 5px 55%; }
        .many { color: var(--dim); font-weight: 400; margin-left: 8px; font-size: 12.5px; }
        .count { font-variant-numeric: tabular-nums; white-space: nowrap; }
        .count.failed { color: var(--failed); font-weight: 650; } .count.known { color: var(--known); }
        .count.stale { color: var(--stale); font-weight: 650; } .count.skipped { color: var(--dim); }
        .bar { display: flex; height: 4px; border-radius: 4px; overflow: hidden; margin-top: 3px; background: var(--skipped); }
        .bar b { min-width: 3px; } .fixture .bar { display: none; }
        tr.cells > td { background: var(--code); padding: 10px 12px 14px 50px; width: auto; }
        .cells table { border-collapse: collapse; font-size: 12px; width: auto; }
        .cells th, .cells td { border: 0; padding: 2px 10px 2px 0; background: none; width: auto; white-space: nowrap; }
        .cells td { font-variant-numeric: tabular-nums; color: var(--dim); }
        .cells td:first-child { color: var(--ink); font-family: ui-monospace, "SF Mono", Menlo, "DejaVu Sans Mono", monospace; padding-right: 22px; }
        .cells td i { margin: 0 5px 0 0; } .cells a { color: var(--failed); }
        .failure { background: var(--card); border: 1px solid var(--line); border-left: 3px solid var(--failed);
          border-radius: 8px; margin: 8px 0; } .failure.known { border-left-color: var(--known); }
        .failure.stale { border-left-color: var(--stale); } .failure:target { box-shadow: 0 0 0 2px var(--link); }
        .failure summary { padding: 8px 12px; cursor: pointer; } .failure summary small { color: var(--dim); font-size: 12.5px; }
        .failure > div { padding: 0 12px 10px; }
        .failure p { margin: 4px 0; }
        pre { margin: 6px 0; padding: 10px 12px; background: var(--code); border-radius: 7px; overflow-x: auto;
          font: 12px/1.5 ui-monospace, "SF Mono", Menlo, "DejaVu Sans Mono", monospace; }
        pre .minus { color: var(--failed); } pre .plus { color: var(--passed); }
        pre.again { display: flex; gap: 10px; justify-content: space-between; align-items: center; }
        pre.again code { white-space: pre-wrap; word-break: break-all; }
        footer { color: var(--dim); font-size: 12.5px; padding-top: 28px; padding-bottom: 40px; }
        footer code { font-family: ui-monospace, "DejaVu Sans Mono", monospace; }
        @media (max-width: 760px) { header, nav, main, footer { padding-left: 10px; padding-right: 10px; }
          main { overflow-x: auto; } #key { display: none; } }
        """#

    static let script = #"""
        "use strict";
        const data = JSON.parse(document.getElementById("data").textContent);
        const kinds = data.judgements, $ = id => document.getElementById(id);
        const make = (tag, className, text) => {
          const node = document.createElement(tag);
          if (className) node.className = className;
          if (text !== undefined) node.textContent = text;
          return node;
        };
        const number = n => n.toLocaleString("en");
        const isBad = counts => counts.failed + counts.stale > 0;
        const zero = () => ({ passed: 0, skipped: 0, known: 0, stale: 0, failed: 0, total: 0 });
        const add = (counts, kind) => { counts[kind]++; counts.total++; };

        // Counts for every fixture and group, by column.
        const fixtures = data.fixtures.map((id, index) =>
          ({ id, group: data.fixtureGroups[index], columns: data.columns.map(zero), all: zero(), cells: [] }));
        const groups = data.groups.map(id => ({ id, columns: data.columns.map(zero), all: zero(), fixtures: [] }));
        const total = zero();
        data.cells.forEach(([fixture, name, column, code], index) => {
          const f = fixtures[fixture], g = groups[f.group], kind = kinds[code];
          for (const counts of [f.columns[column], f.all, g.columns[column], g.all, total]) add(counts, kind);
          f.cells.push(index);
        });
        fixtures.forEach(f => groups[f.group].fixtures.push(f));
        groups.forEach(g => g.fixtures.sort((a, b) => isBad(b.all) - isBad(a.all) || (a.id < b.id ? -1 : 1)));

        const count = counts => {
          const cell = make("td");
          if (!counts.total) return cell;
          const kind = counts.failed ? "failed" : counts.stale ? "stale" : counts.known ? "known"
            : counts.passed ? "passed" : "skipped";
          const text = { failed: `✗ ${number(counts.failed)} of ${number(counts.total)}`,
            stale: `! ${number(counts.stale)} of ${number(counts.total)}`,
            known: `✓ ${number(counts.passed)}  ~ ${number(counts.known)}`, passed: `✓ ${number(counts.passed)}`,
            skipped: `– ${number(counts.skipped)}` }[kind];
          cell.append(make("span", "count " + kind, text));
          const bar = make("div", "bar");
          for (const part of ["passed", "known", "stale", "failed"]) {
            if (!counts[part]) continue;
            const b = make("b", part);
            b.style.flexGrow = counts[part];
            bar.append(b);
          }
          if (counts.skipped) { const b = make("b"); b.style.flexGrow = counts.skipped; bar.append(b); }
          cell.append(bar);
          return cell;
        };
        const row = (className, label, item, many) => {
          const line = make("tr", className + (isBad(item.all) ? " bad" : "")), first = make("td");
          first.append(make("span", "twist", "▸"), label);
          if (many) first.append(make("span", "many", many));
          line.append(first, ...item.columns.map(count));
          line.tabIndex = 0;
          return line;
        };

        const state = { open: new Set(), cells: new Set() };
        const body = document.querySelector("#grid tbody");
        const cellTable = f => {
          const line = make("tr", "cells"), place = make("td");
          place.colSpan = data.columns.length + 1;
          const rows = new Map(), cuts = [];
          for (const index of f.cells) {
            const [name, cut] = data.names[data.cells[index][1]].split("\t");
            if (!cuts.includes(cut)) cuts.push(cut);
            if (!rows.has(name)) rows.set(name, {});
            rows.get(name)[cut] = index;
          }
          const table = make("table"), head = make("tr");
          head.append(make("th"), ...cuts.map(cut => make("th", "", cut)));
          table.append(head);
          for (const [name, entries] of rows) {
            const tr = make("tr");
            tr.append(make("td", "", name));
            for (const cut of cuts) {
              const td = make("td"), index = entries[cut];
              if (index !== undefined) {
                const cell = data.cells[index], kind = kinds[cell[3]];
                td.append(make("i", kind));
                const text = number(cell[4]);
                if (data.failures[index]) {
                  const link = make("a", "", kind === "skipped" ? "–" : text);
                  link.href = "#failure-" + index;
                  td.append(link);
                } else td.append(text);
                td.title = `${kind}: ${text} replays, ${cell[5] / 10} ms`;
              }
              tr.append(td);
            }
            table.append(tr);
          }
          place.append(table);
          line.append(place);
          return line;
        };
        const draw = () => {
          const text = $("filter").value.trim().toLowerCase(), only = $("only").checked;
          const fits = f => (!only || isBad(f.all)) && (!text || f.id.toLowerCase().includes(text));
          body.replaceChildren();
          for (const g of groups) {
            const shown = g.fixtures.filter(fits);
            if (!shown.length) continue;
            const isOpen = state.open.has(g.id) || (text && shown.length <= 40);
            const some = shown.length < g.fixtures.length ? `${shown.length} of ` : "";
            const line = row("group" + (isOpen ? " open" : ""), g.id, g,
              `${some}${g.fixtures.length} fixture${g.fixtures.length === 1 ? "" : "s"}`);
            line.onclick = () => { toggle(state.open, g.id); draw(); };
            body.append(line);
            if (!isOpen) continue;
            for (const f of shown) {
              const name = f.id.startsWith(g.id + "/") ? f.id.slice(g.id.length + 1) : f.id;
              const entry = row("fixture" + (state.cells.has(f.id) ? " open" : ""), name, f);
              entry.onclick = () => { toggle(state.cells, f.id); draw(); };
              body.append(entry);
              if (state.cells.has(f.id)) body.append(cellTable(f));
            }
          }
          $("none").hidden = body.children.length > 0;
        };
        const toggle = (set, id) => set.has(id) ? set.delete(id) : set.add(id);
        document.addEventListener("keydown", event => {
          if (event.key === "Enter" && event.target.onclick && event.target.tagName === "TR") event.target.onclick();
        });

        // Failures, the unexpected first; beyond the limit they open from the grid only.
        const trace = text => {
          const pre = make("pre");
          for (const line of text.split("\n")) {
            pre.append(make("span", /^\s*-/.test(line) ? "minus" : /^\s*\+/.test(line) ? "plus" : "", line), "\n");
          }
          return pre;
        };
        const failureCard = (index, isOpen) => {
          const fact = data.failures[index], cell = data.cells[index], kind = kinds[cell[3]];
          const card = make("details", "failure " + kind), summary = make("summary"), inside = make("div");
          card.id = "failure-" + index;
          card.open = isOpen;
          const name = data.names[cell[1]].replace("\t", " ");
          const first = (fact.list || [])[0];
          summary.append(make("strong", "", data.fixtures[cell[0]]), " ", make("small", "", name), make("br"),
            make("span", "", fact.because || (first && first.summary) || fact.note || fact.outcome));
          if (fact.failed) inside.append(make("p", "", `${number(fact.failed)} of ${number(cell[4])} replays failed`));
          if (fact.note) inside.append(trace(fact.outcome + ": " + fact.note));
          for (const one of fact.list || []) {
            inside.append(make("p", "", `${one.kind} at cut ${one.cut}: ${one.summary}`));
            if (one.details) inside.append(trace(one.details));
          }
          if (fact.again) {
            const pre = make("pre", "again"), copy = make("button", "", "Copy");
            pre.append(make("code", "", fact.again), copy);
            copy.onclick = () => navigator.clipboard.writeText(fact.again).then(() => { copy.textContent = "Copied"; });
            inside.append(pre);
          }
          card.append(summary, inside);
          return card;
        };
        const limit = 200;
        const bad = Object.keys(data.failures).map(Number)
          .filter(index => ["failed", "stale", "known"].includes(kinds[data.cells[index][3]]))
          .sort((a, b) => data.cells[b][3] - data.cells[a][3] || a - b);
        if (bad.length) {
          $("failures").append(make("h2", "", `${number(total.failed + total.stale)} to look at`
            + (total.known ? `, ${number(total.known)} known` : "")));
          bad.slice(0, limit).forEach((index, place) => $("failures").append(failureCard(index, place === 0)));
          if (bad.length > limit) $("failures").append(make("p", "", `The first ${limit}; the others open from the grid.`));
        }
        const follow = () => {
          const index = (location.hash.match(/^#failure-(\d+)$/) || [])[1];
          if (index === undefined || !data.failures[index]) return;
          if (!$("failure-" + index)) $("failures").append(failureCard(index, true));
          const card = $("failure-" + index);
          card.open = true;
          card.scrollIntoView({ block: "center" });
        };

        const verdict = $("verdict");
        const pill = (className, text) => {
          verdict.className = "pill " + className;
          if (!bad.length) { verdict.textContent = text; return; }
          const link = make("a", "", text + " ↓");
          link.href = "#failures";
          verdict.append(link);
        };
        if (total.failed) pill("failed", `${number(total.failed)} failed`);
        else if (total.stale) pill("stale", `${number(total.stale)} stale expectations`);
        else pill("", total.total ? "all holds" : "no cells");
        $("totals").textContent = data.totals;
        $("facts").append(make("code", "", data.command), make("br"), `${data.date}, seed ${data.seed}`);
        const head = make("tr");
        head.append(make("th", "", "fixtures"), ...data.columns.map(name => make("th", "", name)));
        document.querySelector("#grid thead").append(head);
        if (groups.length <= 1) groups.forEach(g => state.open.add(g.id));
        $("filter").oninput = draw;
        $("only").onchange = () => { if ($("only").checked) groups.forEach(g => isBad(g.all) && state.open.add(g.id)); draw(); };
        $("open").onclick = () => { groups.forEach(g => state.open.add(g.id)); draw(); };
        $("shut").onclick = () => { state.open.clear(); state.cells.clear(); draw(); };
        addEventListener("hashchange", follow);
        draw();
        follow();
        """#
}
