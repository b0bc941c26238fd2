// SPDX-License-Identifier: GPL-2.0-only

extension QualificationPage {
  /// How the page looks: on paper and on screens of every width, by day and by night. No colour says anything that no
  /// word says.
  static let style: Markup = """
    :root {
      color-scheme: light dark;
      --ground: #fff; --raised: #f6f7f8; --line: #dfe3e6; --text: #1d2126; --quiet: #5a646e; --link: #0b57a4;
      --pass: #17703c; --pass-ground: #d9eee0; --fail: #b3261e; --fail-ground: #fdecea;
      --skipped: #5a646e; --skipped-ground: #e3e7ea; --notrun: #855300; --notrun-ground: #fdf3dc;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --ground: #15181b; --raised: #1d2125; --line: #32383e; --text: #e4e7ea; --quiet: #a2acb5; --link: #8ec1f7;
        --pass: #82d3a0; --pass-ground: #1d4a31; --fail: #ff9d94; --fail-ground: #3a1d1c;
        --skipped: #a2acb5; --skipped-ground: #30363c; --notrun: #f0c36a; --notrun-ground: #382b11;
      }
    }
    * { box-sizing: border-box; }
    body {
      margin: 0 auto; padding: 2.5rem 1.5rem 4rem; max-width: 90rem; background: var(--ground); color: var(--text);
      font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
      -webkit-text-size-adjust: 100%;
    }
    h1 { margin: 0 0 .5rem; font-size: 1.9rem; line-height: 1.2; font-weight: 650; letter-spacing: -.01em; }
    h2 { margin: 2.75rem 0 .75rem; font-size: 1.25rem; font-weight: 650; }
    h3 { margin: 0; font-size: 1rem; font-weight: 650; }
    header p, .legend { max-width: 46rem; }
    header p { margin: 0; color: var(--quiet); }
    small { font-size: .85em; font-weight: 400; color: var(--quiet); }
    a { color: var(--link); text-decoration-thickness: 1px; text-underline-offset: .15em; }
    :focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 2px; }
    code, .kernel, tbody th[scope=row] {
      font-family: ui-monospace, "SF Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: .875em;
    }
    code, .kernel { unicode-bidi: isolate; }
    time, .time { white-space: nowrap; font-variant-numeric: tabular-nums; }

    .tiles {
      display: grid; grid-template-columns: repeat(auto-fill, minmax(12.5rem, 1fr)); gap: .75rem;
      margin: 1.75rem 0 0; padding: 0; list-style: none;
    }
    .tiles li { padding: .8rem 1rem; border: 1px solid var(--line); border-radius: .5rem; overflow-wrap: anywhere; }
    .bar { display: flex; gap: 2px; height: .4rem; margin: .55rem 0 .5rem; }
    .bar i { min-width: 3px; border-radius: 2px; }
    .bar .pass { background: var(--pass); } .bar .fail { background: var(--fail); }
    .bar .skipped { background: var(--skipped-ground); } .bar .notrun { background: var(--notrun); }
    .counts { display: flex; flex-wrap: wrap; gap: 0 .9rem; font-size: .9rem; }
    .pass .mark, .counts .pass { color: var(--pass); }
    .fail .mark, .counts .fail, b.fail { color: var(--fail); }
    .skipped .mark, .counts .skipped { color: var(--skipped); }
    .notrun .mark, .counts .notrun { color: var(--notrun); }
    .mark { display: inline-block; width: 1.1em; font-weight: 700; text-align: center; }

    .filter { display: none; margin: 0 0 .75rem; font-size: .9rem; color: var(--quiet); }
    @supports selector(:has(a)) {
      .filter { display: block; }
      section:has(#trouble:checked) tr.fine,
      section:has(#trouble:checked) tbody:not(:has(tr:not(.fine, .target))) { display: none; }
    }
    .scroll { overflow-x: auto; }
    table {
      width: 100%; min-width: calc(16rem + var(--columns) * 8.5rem); border-collapse: separate; border-spacing: 0;
      table-layout: fixed; font-size: .925rem;
    }
    th, td { padding: .45rem .7rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
    thead th {
      border-bottom: 2px solid var(--line); background: var(--ground); font-weight: 650; vertical-align: bottom;
    }
    thead th:first-child { width: clamp(16rem, 22vw, 21rem); }
    thead small { display: block; }
    tr > :first-child { position: sticky; left: 0; background: var(--ground); }
    .target th { padding-top: 1.5rem; font-weight: 650; border-bottom: 1px solid var(--line); }
    tbody th[scope=row] { font-weight: 400; }
    tbody tr:not(.target) > * { border-bottom: 1px solid var(--line); }
    td b { font-weight: 500; }
    td.fail { background: var(--fail-ground); } td.notrun { background: var(--notrun-ground); }
    td.fail summary b { color: var(--fail); font-weight: 650; }
    td.notrun summary b { color: var(--notrun); font-weight: 650; }
    td.skipped summary, td.none { color: var(--quiet); }
    td > div { display: flex; flex-wrap: wrap; column-gap: .8rem; }
    details[open] { flex-basis: 100%; min-width: 0; }
    td.none > div { padding-left: 1.4em; }
    td summary > span:last-child { color: var(--quiet); }
    summary { cursor: pointer; list-style: none; border-radius: 2px; }
    summary::-webkit-details-marker { display: none; }
    summary:hover b { text-decoration: underline; text-decoration-thickness: 1px; text-underline-offset: .15em; }
    .see { font-size: .85rem; line-height: 1.65; }
    .label { display: none; }
    .more { margin: .4rem 0 .3rem; font-size: .85rem; }
    .more p, .more ol { margin: .35rem 0; }
    .more time { white-space: normal; }
    .more ol { padding: 0; list-style: none; }
    .more li { border-top: 1px solid var(--line); padding: .1rem 0; }
    .more .time { float: right; padding-left: .5rem; color: var(--quiet); }
    .more small { display: block; }
    .logs a { margin-right: .6rem; }
    .reason { white-space: pre-wrap; overflow-wrap: anywhere; }

    .findings { margin: 0; padding: 0; list-style: none; counter-reset: finding; }
    .findings > li {
      counter-increment: finding; margin: 0 0 1rem; padding: 1rem 1.25rem; border: 1px solid var(--line);
      border-left: 4px solid var(--fail); border-radius: .5rem; scroll-margin-top: 1rem;
    }
    .findings > li.notrun { border-left-color: var(--notrun); }
    .findings > li:target { background: var(--raised); }
    .findings h3::after { content: " · " counter(finding); color: var(--quiet); font-weight: 400; }
    .findings p { margin: .6rem 0; }
    .findings .reason { padding: .6rem .8rem; background: var(--raised); border-radius: .35rem; }
    .findings li:target .reason { background: var(--ground); }
    .findings dl { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .3rem 1.25rem; margin: 0; }
    .findings dt { font-weight: 600; } .findings dd { margin: 0; }
    .place { display: inline-block; margin-right: 1rem; overflow-wrap: anywhere; }
    .legend dt { margin-top: .7rem; font-weight: 600; } .legend dd { margin: 0 0 0 1.4em; color: var(--quiet); }
    .legend dd b { color: var(--text); font-weight: 600; }

    @media (min-width: 60rem) {
      .scroll.fits { overflow: visible; }
      .scroll.fits table { min-width: 0; }
      .scroll.fits thead th { position: sticky; top: 0; z-index: 1; }
    }
    @media screen and (max-width: 48rem) {
      body { padding: 1.5rem 1rem 3rem; }
      h1 { font-size: 1.5rem; }
      .scroll { overflow: visible; }
      table, tbody, tr, th, td { display: block; }
      table { min-width: 0; }
      thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
      .target th { top: 0; z-index: 1; padding: 1.25rem 0 .4rem; border-bottom: 0; font-size: 1.05rem; }
      tbody tr:not(.target) {
        margin-bottom: .75rem; border: 1px solid var(--line); border-radius: .5rem; overflow: hidden;
      }
      tbody tr:not(.target) > * { border-bottom: 0; }
      tbody th[scope=row] { position: static; padding: .6rem .8rem .35rem; font-size: .95rem; font-weight: 600; }
      td {
        display: grid; grid-template-columns: minmax(6.5rem, 38%) 1fr; gap: 0 .75rem; padding: .4rem .8rem;
        border-top: 1px solid var(--line);
      }
      .label { display: block; color: var(--quiet); }
      td > div { min-width: 0; }
      td:has(details[open]) { grid-template-columns: 1fr; }
      .findings > li { padding: .9rem 1rem; }
      .findings dl { grid-template-columns: 1fr; gap: .1rem; }
      .findings dd { margin-bottom: .5rem; }
    }
    @media print {
      :root {
        --ground: #fff; --raised: #f6f7f8; --line: #c6ccd1; --text: #000; --quiet: #444c54; --link: #000;
        --pass: #17703c; --fail: #b3261e; --fail-ground: #fdecea; --notrun: #855300; --notrun-ground: #fdf3dc;
        --skipped: #444c54; --skipped-ground: #e3e7ea;
        font-size: 9pt;
      }
      body { max-width: none; padding: 0; }
      .filter { display: none; }
      .scroll { overflow: visible; }
      table { min-width: 0; font-size: 8pt; }
      thead th, tr > :first-child { position: static; }
      thead th:first-child { width: 11rem; }
      th, td { padding: .2rem .4rem; }
      tr, .findings > li, .tiles li { break-inside: avoid; }
      h2, h3, .target { break-after: avoid; }
      .bar i, td, .reason { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
      a { text-decoration: none; }
    }
    """
}
