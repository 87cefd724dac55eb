// One stacked bar chart per topic. Colours come from the stylesheet, words from the page, numbers from data/volumes.json.
"use strict";
(() => {
  const section = document.getElementById("volumes");
  const LABELS = ["negative", "unknown", "neutral", "positive"]; // from the axis up: what matters stands on it
  const charts = new Map();
  let data = null;

  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const clock = (time) => time.slice(11, 16);
  const day = (time) => time.slice(5, 10);

  const option = (topic) => {
    const muted = style("--muted");
    const line = style("--line");
    const ink = style("--ink");
    return {
      animation: false,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      grid: { left: 4, right: 6, top: 12, bottom: 2, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
      tooltip: {
        trigger: "axis",
        renderMode: "richText", // no HTML: the policy forbids inline style
        axisPointer: { type: "shadow", shadowStyle: { color: style("--shade") } },
        backgroundColor: style("--card"),
        borderColor: line,
        borderWidth: 1,
        padding: [6, 9],
        textStyle: { color: ink, fontSize: 12, lineHeight: 18 },
        confine: true,
        formatter: (points) => {
          const sum = points.reduce((total, point) => total + point.value, 0);
          const rows = points.filter((point) => point.value).map((point) => `${point.seriesName}  ${point.value}`);
          const at = topic.times[points[0].dataIndex];
          return [`${day(at)} ${clock(at)}`, ...rows.reverse(), `${section.dataset.total}  ${sum}`].join("\n");
        },
      },
      xAxis: {
        type: "category",
        data: topic.times,
        axisTick: { show: false },
        axisLine: { lineStyle: { color: line } },
        axisLabel: {
          color: muted,
          fontSize: 11,
          hideOverlap: true,
          formatter: clock,
          interval: (_, time) => /T(00|06|12|18):00/.test(time),
        },
      },
      yAxis: {
        type: "value",
        minInterval: 1,
        splitNumber: 3,
        splitLine: { lineStyle: { color: line } },
        axisLabel: { color: muted, fontSize: 11 },
      },
      series: LABELS.map((label) => ({
        name: section.dataset[label],
        type: "bar",
        stack: "all",
        barCategoryGap: "18%",
        data: topic[label],
        itemStyle: { color: style(`--${label}`) },
        emphasis: { disabled: true },
      })),
    };
  };

  const draw = () => {
    for (const [box, chart] of charts) {
      if (!box.isConnected) {
        chart.dispose();
        charts.delete(box);
        sizes.unobserve(box);
      }
    }
    for (const box of section.querySelectorAll(".chart")) {
      const topic = data?.topics.find((each) => each.topic === box.dataset.topic);
      if (!topic) continue;
      if (!charts.has(box)) {
        charts.set(box, echarts.init(box, null, { renderer: "canvas" }));
        sizes.observe(box);
      }
      charts.get(box).setOption(option(topic), { notMerge: true });
    }
  };

  const sizes = new ResizeObserver((entries) => {
    for (const entry of entries) charts.get(entry.target)?.resize();
  });

  const load = async () => {
    try {
      const response = await fetch(section.dataset.source, { credentials: "same-origin" });
      if (!response.ok) return; // the page says by itself that it has fallen behind
      data = await response.json();
    } catch {
      return;
    }
    draw();
  };

  document.addEventListener("htmx:after:swap", (event) => {
    if (event.target === section) load();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  load();
})();
