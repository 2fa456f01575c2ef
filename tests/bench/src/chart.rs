//! The chart of a run: for each benchmark a bar for its number, a bar for the reference, and a mark
//! for the target.

use std::fmt::Write;

use crate::measurement::{Measurement, format_figure};
use crate::report::Report;

const CHART_WIDTH: f64 = 1080.0;
const LEFT_MARGIN: f64 = 24.0;
const MAX_BAR_LENGTH: f64 = 560.0;
const ROW_HEIGHT: f64 = 74.0;
const TOP_MARGIN: f64 = 96.0;

/// The run as an SVG image.
pub(crate) fn render_svg(report: &Report) -> String {
    let lines: Vec<&Measurement> = report.lines.iter().collect();
    let height = TOP_MARGIN + ROW_HEIGHT * lines.len() as f64 + 56.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{CHART_WIDTH}\" height=\"{height}\" viewBox=\"0 0 {CHART_WIDTH} {height}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"13\" fill=\"#1c2430\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    draw_text(&mut svg, LEFT_MARGIN, 34.0, "font-size=\"20\" font-weight=\"600\"", "tillgate and its references");
    draw_text(
        &mut svg,
        LEFT_MARGIN,
        56.0,
        GRAY_FILL,
        "dark: tillgate; light: the reference, measured in the same run; mark: the target",
    );
    let (frame, software) = machine_text(report);
    for (number, line) in lines.iter().enumerate() {
        draw_row(&mut svg, TOP_MARGIN + ROW_HEIGHT * number as f64, line);
    }
    draw_text(&mut svg, LEFT_MARGIN, height - 34.0, GRAY_FILL, &frame);
    draw_text(&mut svg, LEFT_MARGIN, height - 16.0, GRAY_FILL, &software);
    svg.push_str("</svg>\n");
    svg
}

const GRAY_FILL: &str = "fill=\"#5b6675\"";

fn machine_text(report: &Report) -> (String, String) {
    let machine = &report.machine;
    (
        format!(
            "{}, {} cores, {:.0} GiB, fsync {:.0} µs; load generator and server on the same cores; {}; {}",
            machine.processor,
            machine.cores,
            machine.memory_gib,
            machine.fsync_micros,
            report.date,
            shorten(&report.command)
        ),
        format!("{}; {}; {}", machine.kernel, machine.rustc, machine.postgres),
    )
}

fn draw_row(svg: &mut String, top: f64, line: &Measurement) {
    let most = line.value.max(line.reference).max(target_position(line).unwrap_or(0.0));
    let length = |value: f64| (value / most * MAX_BAR_LENGTH).max(1.0);
    let color = match line.met {
        Some(false) => "#b3261e",
        Some(true) => "#1f5fa8",
        None => "#52606f",
    };
    draw_text(svg, LEFT_MARGIN, top, "font-weight=\"600\"", &line.what);
    draw_bar(svg, top + 8.0, length(line.value), 18.0, color);
    draw_bar(svg, top + 28.0, length(line.reference), 12.0, "#c3ccd6");
    let beside = LEFT_MARGIN + MAX_BAR_LENGTH + 16.0;
    draw_text(svg, beside, top + 22.0, "font-weight=\"600\"", &format!("{} {}", format_figure(line.value), line.unit));
    draw_text(
        svg,
        beside,
        top + 39.0,
        GRAY_FILL,
        &format!("{} {}", format_figure(line.reference), shorten(&line.reference_name)),
    );
    if let Some(mark) = target_position(line) {
        let x = LEFT_MARGIN + length(mark);
        let _ = writeln!(
            svg,
            "<line x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{:.1}\" stroke=\"#1c2430\" stroke-width=\"2\"/>",
            top + 4.0,
            top + 30.0
        );
    }
    let verdict = match line.met {
        Some(true) => format!("ratio {}, {}: met", format_figure(line.ratio), line.target),
        Some(false) => format!("ratio {}, {}: not met", format_figure(line.ratio), line.target),
        None => format!("ratio {}", format_figure(line.ratio)),
    };
    let style = format!("fill=\"{color}\" font-size=\"12\"");
    draw_text(svg, beside, top + 5.0, &style, &verdict);
}

/// The position of the target, in the benchmark's unit.
fn target_position(line: &Measurement) -> Option<f64> {
    line.met?;
    let number = |text: &str| text.split_whitespace().find_map(|word| word.trim_end_matches(',').parse::<f64>().ok());
    match line.target.split_once("or ") {
        Some((times, value)) => Some((number(times)? * line.reference).max(number(value)?)),
        None if line.reference_name == "the limit" => None,
        None => Some(number(&line.target)? * line.reference),
    }
}

fn shorten(beside: &str) -> String {
    let cut: String = beside.chars().take(62).collect();
    if cut.len() < beside.len() { format!("{}…", cut.trim_end()) } else { cut }
}

fn draw_bar(svg: &mut String, y: f64, length: f64, height: f64, color: &str) {
    let _ = writeln!(
        svg,
        "<rect x=\"{LEFT_MARGIN}\" y=\"{y:.1}\" width=\"{length:.1}\" height=\"{height}\" rx=\"2\" fill=\"{color}\"/>"
    );
}

fn draw_text(svg: &mut String, x: f64, y: f64, style: &str, text: &str) {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" {style}>{text}</text>");
}
