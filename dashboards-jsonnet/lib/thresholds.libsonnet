// Steps of colour for a value. `pair` is [warn, bad] from config.libsonnet.
local colours = (import '../config.libsonnet').colours;

local steps(list) = { mode: 'absolute', steps: [{ color: step[0], value: step[1] } for step in list] };

{
  // More is worse.
  above(pair): steps([[colours.good, null], [colours.warn, pair[0]], [colours.bad, pair[1]]]),
  // Less is worse: below pair[1] is bad, below pair[0] a warning.
  below(pair): steps([[colours.bad, null], [colours.warn, pair[1]], [colours.good, pair[0]]]),
  // None is good.
  none: steps([[colours.good, null], [colours.bad, 1]]),
  // One is good, nought is bad.
  yesNo: steps([[colours.bad, null], [colours.good, 1]]),
  // Neither good nor bad.
  plain: steps([[colours.info, null]]),
  steps: steps,
}
