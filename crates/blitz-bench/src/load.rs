//! What else the machine does during a measurement.

use std::fs;
use std::time::Duration;

/// Share of one core above which other programs disturb the measurement.
const BUSY: f64 = 0.1;

/// What to say of a load, where there is something to say.
pub fn warning(other_load: f64) -> Option<String> {
    (other_load > BUSY).then(|| {
        format!(
            "the machine is not idle: other programs keep {other_load:.1} of {} cores busy, and all \
             that is measured is slowed down, not in equal measure",
            cores()
        )
    })
}

/// How many cores other programs keep busy, measured for two seconds; 0 where the system does not
/// say.
pub fn other_load() -> f64 {
    let before = busy_and_total();
    std::thread::sleep(Duration::from_secs(2));
    match before.zip(busy_and_total()) {
        Some((before, after)) if after.1 > before.1 => {
            (after.0 - before.0) / (after.1 - before.1) * cores() as f64
        }
        _ => 0.0,
    }
}

/// Ticks of all cores since the machine started: not idle, and all.
fn busy_and_total() -> Option<(f64, f64)> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let ticks = text.lines().next()?.split_whitespace().skip(1).take(8);
    let ticks: Vec<f64> = ticks.map(|tick| tick.parse().ok()).collect::<Option<_>>()?;
    let total: f64 = ticks.iter().sum();
    let idle = ticks.get(3)? + ticks.get(4)?;
    Some((total - idle, total))
}

/// The machine's cores.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The processor's name, where the system says it.
pub fn cpu_name() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
