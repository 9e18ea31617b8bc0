// Rows of panels on Grafana's grid of 24 columns. A row has panels of one height; either each says its width, or none does
// and they share the line. What does not fit goes to the next line. Nothing overlaps, by construction.
local columns = 24;

// Panels with their widths.
local sized(row) =
  local count = std.length(row.panels);
  local free = std.length([p for p in row.panels if p.width == null]);
  assert free == 0 || free == count : 'row %d: either every panel has a width, or none' % row.id;
  assert free <= 8 : 'row %d: %d panels on one line are too narrow to read' % [row.id, free];
  local each = std.floor(columns / std.max(count, 1));
  [
    { panel: p, w: if p.width != null then p.width else if i == count - 1 then columns - each * i else each }
    for i in std.range(0, count - 1)
    for p in [row.panels[i]]
  ];

// The same with x and line.
local placed(row) =
  local step(acc, item) =
    local wraps = acc.x + item.w > columns;
    local x = if wraps then 0 else acc.x;
    local line = acc.line + if wraps then 1 else 0;
    { x: x + item.w, line: line, items: acc.items + [item { x: x, line: line }] };
  std.foldl(step, sized(row), { x: 0, line: 0, items: [] });

// Panels of one row from line y on; { panels, y } after it.
local flow(row, y) =
  local all = placed(row);
  {
    panels: [
      item.panel { gridPos: { x: item.x, y: y + item.line * row.height, w: item.w, h: row.height } }
      for item in all.items
    ],
    y: y + (all.line + 1) * row.height,
  };

local header(row, y, panels) = {
  id: row.id,
  type: 'row',
  title: row.title,
  collapsed: row.collapsed,
  gridPos: { x: 0, y: y, w: columns, h: 1 },
  panels: panels,
};

local place(acc, row) =
  if row.title == null then
    local placed = flow(row, acc.y);
    { y: placed.y, panels: acc.panels + placed.panels }
  else
    local placed = flow(row, acc.y + 1);
    if row.collapsed
    then { y: acc.y + 1, panels: acc.panels + [header(row, acc.y, placed.panels)] }
    else { y: placed.y, panels: acc.panels + [header(row, acc.y, [])] + placed.panels };

{
  // id: a multiple of 100; title null: no header (the overview at the top); height in grid units of 30 pixels.
  row(id, title, height, panels, collapsed=false):: {
    id: id,
    title: title,
    height: height,
    panels: panels,
    collapsed: collapsed,
  },

  // All panels with their places, in the order of reading.
  arrange(rows):: std.foldl(place, rows, { y: 0, panels: [] }).panels,
}
