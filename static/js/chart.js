/**
 * Charts from data in the page. The template gives
 *   <div class="chart-box" data-chart="history-data" role="img" aria-label="…"></div>
 *   {{ history|json_script:"history-data" }}
 * with history = {kind: "steps", name, unit, limits: [{letter, at}], points: [{on, score, grade}]}
 * or {kind: "bars" | "lines", unit, labels: [], series: [{name, values: []}]}; and the same figures as a table beside.
 */
const { echarts } = globalThis;
const FONT = getComputedStyle(document.body).fontFamily;
const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const INK = token("--ink-soft");
const LINE = token("--line");
const COLOURS = [token("--accent"), token("--grade-b"), token("--grade-c"), token("--grade-d"), token("--grade-a")];
const gradeColour = (letter) => token(`--grade-${(letter ?? "d").toLowerCase()}`);

const frame = (unit) => ({
  color: COLOURS,
  textStyle: { fontFamily: FONT, color: INK },
  animationDuration: 250,
  aria: { enabled: true, decal: { show: true } },
  grid: { left: 8, right: 40, top: 32, bottom: 8, containLabel: true },
  tooltip: { trigger: "axis", renderMode: "richText", confine: true },
  legend: { top: 0, textStyle: { color: INK } },
  yAxis: {
    type: "value", name: unit ?? "", nameTextStyle: { color: INK, align: "left" },
    axisLabel: { color: INK }, splitLine: { lineStyle: { color: LINE } },
  },
});

/** A grade over time: it holds until the next record, so the line goes in steps; the limits are drawn across. */
function steps({ name, unit, limits, points }) {
  const limitLines = limits.filter(({ at }) => Number(at) > 0).map(({ letter, at }) => ({
    yAxis: Number(at),
    label: { formatter: letter, color: INK, position: "end" },
    lineStyle: { color: gradeColour(letter), type: "dashed", width: 1 },
  }));
  const base = frame(unit);
  return {
    ...base,
    aria: { enabled: true },
    legend: { show: false },
    grid: { ...base.grid, top: unit ? 32 : 16 },
    xAxis: { type: "time", boundaryGap: ["1%", "4%"], axisLabel: { color: INK, hideOverlap: true }, axisLine: { lineStyle: { color: LINE } } },
    yAxis: { ...base.yAxis, min: ({ min }) => Math.max(0, Math.floor(Math.min(min, 60) / 10) * 10), max: 120 },
    series: [{
      name,
      type: "line",
      step: "end",
      symbolSize: 9,
      lineStyle: { color: token("--accent"), width: 2 },
      label: { show: true, formatter: ({ data }) => data.grade ?? "", fontWeight: 700, color: token("--ink") },
      data: points.map(({ on, score, grade }) => ({ value: [on, score], grade, itemStyle: { color: gradeColour(grade) } })),
      markLine: { silent: true, symbol: "none", data: limitLines },
    }],
  };
}

function columns(type) {
  return ({ unit, labels, series }) => ({
    ...frame(unit),
    xAxis: { type: "category", data: labels, axisLabel: { color: INK }, axisLine: { lineStyle: { color: LINE } } },
    series: series.map(({ name, values }) => ({ name, type, data: values, barMaxWidth: 32, symbolSize: 6 })),
  });
}

const KINDS = { steps, bars: columns("bar"), lines: columns("line") };

export function drawChart(box) {
  const data = JSON.parse(document.getElementById(box.dataset.chart).textContent);
  const locale = document.documentElement.lang.startsWith("zh") ? "ZH" : "EN";
  const chart = echarts.init(box, null, { renderer: "svg", locale });
  chart.setOption(KINDS[data.kind](data));
  new ResizeObserver(() => chart.resize()).observe(box);
  return chart;
}

document.querySelectorAll("[data-chart]").forEach(drawChart);
