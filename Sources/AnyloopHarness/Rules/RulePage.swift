/// The table of rules as one HTML page that needs nothing beside itself: `rules.html`.
///
/// A row for each rule, a column for each loop of the run; a row opens to the rule's scenarios.
public enum RulePage {
    /// The page.
    public static func render(_ table: RuleTable, info: RunInfo) -> String {
        let failing = table.rules.count { rule in
            table.loops.contains { table.standing(rule.number, on: $0).verdict == .failed }
        }
        let pill = failing > 0 ? "<span class=\"pill failed\">\(failing) failing</span>" : ""
        let summary = table.summary.drop { $0 != " " }.dropFirst()
        return
            template
            .replacing("@STYLE@", with: HTMLPage.style + "\n" + style)
            .replacing("@COUNT@", with: String(max(1, table.loops.count)))
            .replacing("@PILL@", with: pill)
            .replacing("@SUMMARY@", with: escape(String(summary)))
            .replacing("@SCRIPT@", with: script)
            // Last, so that nothing in the data is taken for a mark.
            .replacing("@FACTS@", with: "<code>\(escape(info.command))</code><br>\(escape(info.date))")
            .replacing("@ROWS@", with: rows(table) + explained(table))
    }

    private static func rows(_ table: RuleTable) -> String {
        var text = ""
        var section = ""
        for rule in table.rules {
            if rule.section != section {
                if !section.isEmpty { text += "</section>\n" }
                section = rule.section
                text += "<section><h2>\(escape(section))</h2>\n<div class=\"row head\"><span></span><span></span>"
                text += table.loops.map { "<span>\(escape($0))</span>" }.joined() + "</div>\n"
            }
            text += row(rule, table)
        }
        return section.isEmpty ? text : text + "</section>\n"
    }

    private static func row(_ rule: AsyncioRule, _ table: RuleTable) -> String {
        let standings = table.loops.map { table.standing(rule.number, on: $0) }
        let isBad = standings.contains { $0.verdict == .failed }
        let isMissing = rule.isShowable && standings.contains { $0.verdict == .missing }
        var text = "<details class=\"rule\(isBad ? " bad" : "")\(isMissing ? " gap" : "")\" id=\"rule-\(rule.number)\">"
        text += "<summary class=\"row\"><span class=\"number\">\(rule.number)</span>"
        text += "<span class=\"text\">\(escape(rule.text))<small>\(escape(rule.source))</small></span>"
        for standing in standings {
            let kind = kind(rule, standing)
            text += "<span class=\"\(kind)\"\(title(standing))>\(escape(RuleWords.short(rule, standing)))</span>"
        }
        return text + "</summary><div class=\"inside\">\(inside(rule, table))</div></details>\n"
    }

    private static func kind(_ rule: AsyncioRule, _ standing: RuleTable.Standing) -> String {
        standing.total == 0 && !rule.isShowable ? "other" : standing.verdict.rawValue
    }

    private static func title(_ standing: RuleTable.Standing) -> String {
        var parts = standing.failed.map { "fails: \($0)" } + standing.liberties.map { "but for \($0)" }
        if !standing.skipped.isEmpty { parts.append("cannot be run here: \(standing.skipped.count)") }
        return parts.isEmpty ? "" : " title=\"\(escape(parts.joined(separator: "\n")))\""
    }

    private static func inside(_ rule: AsyncioRule, _ table: RuleTable) -> String {
        var text = ""
        if let why = rule.why { text += "<p>\(escape(why))</p>" }
        for (loop, difference) in RuleWords.differences(rule) {
            text += "<p><b>\(escape(loop))</b> differs: \(escape(difference))</p>"
        }
        let cells = table.cells[rule.number] ?? []
        guard !cells.isEmpty else {
            return text + (rule.isShowable ? "<p>The run has no scenario or check of it.</p>" : "")
        }
        var names: [String] = []
        var byName: [String: [String: (index: Int, cell: CellRecord)]] = [:]
        for (index, cell) in cells {
            if byName[cell.fixture] == nil { names.append(cell.fixture) }
            byName[cell.fixture, default: [:]][cell.loop] = (index, cell)
        }
        text += "<table><tr><th></th>" + table.loops.map { "<th>\(escape($0))</th>" }.joined() + "</tr>"
        for name in names.sorted() {
            text += "<tr><td>\(escape(name))</td>\(verdicts(byName[name] ?? [:], table.loops))</tr>"
        }
        return text + "</table>"
    }

    /// One cell of the table for each loop, or one for all where all passed.
    private static func verdicts(
        _ cells: [String: (index: Int, cell: CellRecord)], _ loops: [String]
    ) -> String {
        let plain = loops.allSatisfy { cells[$0]?.cell.outcome == .passed && (cells[$0]?.cell.liberties ?? []).isEmpty }
        if plain { return "<td colspan=\"\(loops.count)\"><i class=\"passed\"></i>on every loop</td>" }
        return loops.map { loop in
            guard let (index, cell) = cells[loop] else { return "<td></td>" }
            switch cell.outcome {
            case .passed:
                let liberties = cell.liberties ?? []
                let words = liberties.map { "<a href=\"#liberty-\(escape($0))\">\(escape($0))</a>" }
                return liberties.isEmpty
                    ? "<td><i class=\"passed\"></i></td>"
                    : "<td class=\"liberty\"><i class=\"known\"></i>\(words.joined(separator: ", "))</td>"
            case .unsupported: return "<td title=\"\(escape(cell.note ?? ""))\"><i></i>cannot run</td>"
            case .failed, .crashed, .hung:
                let why = cell.failures.first.map { $0.summary } ?? cell.note ?? ""
                let word = cell.judgement == .known ? "known" : cell.outcome.rawValue
                return "<td class=\"failed\" title=\"\(escape(why))\"><i class=\"failed\"></i>"
                    + "<a href=\"index.html#failure-\(index)\">\(word)</a></td>"
            }
        }.joined()
    }

    /// The liberties that some cell needed, with their reasons.
    private static func explained(_ table: RuleTable) -> String {
        var counts: [String: Set<String>] = [:]
        for (_, cell) in table.cells.values.joined() {
            for liberty in cell.liberties ?? [] { counts[liberty, default: []].insert(cell.fixture) }
        }
        guard !counts.isEmpty else { return "" }
        var text = "<section><h2>Liberties taken</h2>\n"
        for id in counts.keys.sorted() {
            let count = counts[id]?.count ?? 0
            text += "<div class=\"taken\" id=\"liberty-\(escape(id))\"><b>\(escape(id))</b>"
            text += " <small>\(count) scenario\(count == 1 ? "" : "s")</small>"
            if let liberty = table.liberties.first(where: { $0.id == id }) {
                text += "<p>asyncio: \(escape(liberty.asyncio))</p><p>ours: \(escape(liberty.ours))</p>"
                text += "<p>because: \(escape(liberty.reason))</p>"
            }
            text += "</div>\n"
        }
        return text + "</section>\n"
    }

    /// Text without markup, also within quotes.
    static func escape(_ text: String) -> String {
        text.escaped { scalar in
            switch scalar {
            case "\"": "&quot;"
            case "'": "&#39;"
            case "\u{0}"..."\u{8}", "\u{E}"..."\u{1F}": "\u{FFFD}"
            default: nil
            }
        }
    }
}

extension RulePage {
    private static let template = #"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Anyloop: asyncio's rules</title>
        <style>
        @STYLE@
        main { --loops: @COUNT@; }
        </style>
        </head>
        <body>
        <header>
          <h1>Asyncio's rules on every loop</h1>@PILL@
          <div id="totals">@SUMMARY@ · <a href="index.html">the matrix</a></div>
        </header>
        <nav>
          <input id="filter" type="search" placeholder="Number or words…" aria-label="Filter rules" autocomplete="off">
          <label><input id="only" type="checkbox"> only what failed or was not run</label>
          <button id="open">Open all</button><button id="shut">Close all</button>
          <span id="key"><i class="passed"></i>as asyncio <i class="known"></i>but for liberties
          <i class="failed"></i>otherwise <i></i>not run</span>
        </nav>
        <main>
        @ROWS@
        <p id="none" hidden>No rule fits the filter.</p>
        </main>
        <footer>@FACTS@</footer>
        <script>
        @SCRIPT@
        </script>
        </body>
        </html>

        """#

    private static let style = #"""
        #totals a, .inside a, .taken a { color: var(--link); }
        .row { display: grid; grid-template-columns: 40px minmax(260px, 1fr) repeat(var(--loops), 92px); gap: 0 6px;
          align-items: start; padding: 6px 12px; }
        section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; margin: 0 0 18px;
          overflow: clip; }
        section h2 { margin: 0; padding: 12px 12px 4px; }
        .head { color: var(--dim); font-size: 12.5px; font-weight: 600; }
        .rule, .taken { border-top: 1px solid var(--line); scroll-margin-top: 60px; } .rule > summary { cursor: pointer; list-style: none; }
        .rule > summary::-webkit-details-marker { display: none; } .rule > summary:hover { background: var(--hover); }
        .rule:target { box-shadow: inset 3px 0 0 var(--link); }
        .number { color: var(--dim); font-variant-numeric: tabular-nums; }
        .text small { display: block; color: var(--dim); font-size: 12px; }
        .row > .passed { color: var(--passed); } .row > .liberty, td.liberty { color: var(--known); }
        .row > .failed { color: var(--failed); font-weight: 650; } .row > .missing, .row > .other { color: var(--dim); }
        .inside { background: var(--code); padding: 8px 12px 12px 58px; overflow-x: auto; } .inside p { margin: 3px 0; }
        .inside table { border-collapse: collapse; font-size: 12px; margin-top: 6px; }
        .inside th, .inside td, .inside th + th, .inside td + td { width: auto; border: 0; background: none; padding: 2px 14px 2px 0;
          text-align: left; white-space: nowrap; }
        .inside td:first-child { font-family: ui-monospace, "SF Mono", Menlo, "DejaVu Sans Mono", monospace; }
        .inside td i { margin: 0 5px 0 0; } .inside td.failed a { color: var(--failed); }
        .taken { padding: 8px 12px; } .taken p { margin: 2px 0; } .taken small { color: var(--dim); }
        .taken:target { box-shadow: inset 3px 0 0 var(--link); }
        """#

    private static let script = #"""
        "use strict";
        const $ = id => document.getElementById(id), rules = [...document.querySelectorAll(".rule")];
        const draw = () => {
          const text = $("filter").value.trim().toLowerCase(), only = $("only").checked;
          let shown = 0;
          for (const rule of rules) {
            const fits = !text || rule.id === "rule-" + text || (!/^\d+$/.test(text) && rule.textContent.toLowerCase().includes(text));
            rule.hidden = !fits || (only && !rule.matches(".bad, .gap"));
            if (!rule.hidden) shown++;
          }
          for (const section of document.querySelectorAll("section")) {
            const inside = [...section.querySelectorAll(".rule")];
            section.hidden = inside.length > 0 && inside.every(rule => rule.hidden);
          }
          $("none").hidden = shown > 0;
        };
        const follow = () => {
          const rule = rules.find(rule => "#" + rule.id === location.hash);
          if (rule) rule.open = true;
        };
        $("filter").oninput = draw;
        $("only").onchange = draw;
        $("open").onclick = () => rules.forEach(rule => { rule.open = true; });
        $("shut").onclick = () => rules.forEach(rule => { rule.open = false; });
        addEventListener("hashchange", follow);
        follow();
        """#
}
