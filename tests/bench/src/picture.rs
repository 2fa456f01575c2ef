//! The picture of a run: for each line a bar for the figure, a bar for what stands beside it, and where the target lies.

use std::fmt::Write;

use crate::line::{Line, figure};
use crate::report::Report;

const WIDTH: f64 = 1080.0;
const LEFT: f64 = 24.0;
const BARS: f64 = 560.0;
const ROW: f64 = 74.0;
const TOP: f64 = 96.0;

/// The run as SVG.
pub(crate) fn svg(report: &Report) -> String {
    let lines: Vec<&Line> = report.lines.iter().collect();
    let height = TOP + ROW * lines.len() as f64 + 56.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"13\" fill=\"#1c2430\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    text(&mut svg, LEFT, 34.0, "font-size=\"20\" font-weight=\"600\"", "tillgate beside its roofs");
    text(
        &mut svg,
        LEFT,
        56.0,
        GREY,
        "dark: tillgate; light: what is measured beside it in the same run; the mark: the target",
    );
    let (frame, software) = machine(report);
    for (number, line) in lines.iter().enumerate() {
        row(&mut svg, TOP + ROW * number as f64, line);
    }
    text(&mut svg, LEFT, height - 34.0, GREY, &frame);
    text(&mut svg, LEFT, height - 16.0, GREY, &software);
    svg.push_str("</svg>\n");
    svg
}

const GREY: &str = "fill=\"#5b6675\"";

fn machine(report: &Report) -> (String, String) {
    let machine = &report.machine;
    (
        format!(
            "{}, {} cores, {:.0} GiB, fsync {:.0} µs; load generator and server on the same cores; {}; {}",
            machine.processor,
            machine.cores,
            machine.memory_gib,
            machine.fsync_micros,
            report.date,
            short(&report.command)
        ),
        format!("{}; {}; {}", machine.kernel, machine.rustc, machine.postgres),
    )
}

fn row(svg: &mut String, top: f64, line: &Line) {
    let most = line.value.max(line.roof).max(mark(line).unwrap_or(0.0));
    let length = |value: f64| (value / most * BARS).max(1.0);
    let colour = match line.met {
        Some(false) => "#b3261e",
        Some(true) => "#1f5fa8",
        None => "#52606f",
    };
    text(svg, LEFT, top, "font-weight=\"600\"", &line.what);
    bar(svg, top + 8.0, length(line.value), 18.0, colour);
    bar(svg, top + 28.0, length(line.roof), 12.0, "#c3ccd6");
    let beside = LEFT + BARS + 16.0;
    text(svg, beside, top + 22.0, "font-weight=\"600\"", &format!("{} {}", figure(line.value), line.unit));
    text(svg, beside, top + 39.0, GREY, &format!("{} {}", figure(line.roof), short(&line.beside)));
    if let Some(mark) = mark(line) {
        let x = LEFT + length(mark);
        let _ = writeln!(
            svg,
            "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{:.1}\" stroke=\"#1c2430\" stroke-width=\"2\"/>",
            top + 4.0,
            top + 30.0
        );
    }
    let verdict = match line.met {
        Some(true) => format!("ratio {}, {}: met", figure(line.ratio), line.target),
        Some(false) => format!("ratio {}, {}: not met", figure(line.ratio), line.target),
        None => format!("ratio {}", figure(line.ratio)),
    };
    let style = format!("fill=\"{colour}\" font-size=\"12\"");
    text(svg, beside, top + 5.0, &style, &verdict);
}

/// Where the target lies, in the line's unit.
fn mark(line: &Line) -> Option<f64> {
    line.met?;
    let number = |text: &str| text.split_whitespace().find_map(|word| word.trim_end_matches(',').parse::<f64>().ok());
    match line.target.split_once("or ") {
        Some((times, value)) => Some((number(times)? * line.roof).max(number(value)?)),
        None if line.beside == "the limit" => None,
        None => Some(number(&line.target)? * line.roof),
    }
}

fn short(beside: &str) -> String {
    let cut: String = beside.chars().take(62).collect();
    if cut.len() < beside.len() { format!("{}…", cut.trim_end()) } else { cut }
}

fn bar(svg: &mut String, y: f64, length: f64, height: f64, colour: &str) {
    let _ = writeln!(
        svg,
        "<rect x=\"{LEFT}\" y=\"{y:.1}\" width=\"{length:.1}\" height=\"{height}\" rx=\"2\" fill=\"{colour}\"/>"
    );
}

fn text(svg: &mut String, x: f64, y: f64, style: &str, text: &str) {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" {style}>{text}</text>");
}
