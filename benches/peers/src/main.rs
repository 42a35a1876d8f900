//! `lockgate-bench-peers EXPRESSION INPUT OUTPUT SECONDS ROUNDS`: crate `jsonata-core` over one document,
//! again and again. Prints CPU seconds of one time, the median of the rounds.

use jsonata_core::{Expression, value::JValue};
use rustix::time::{ClockId, clock_gettime};

fn main() {
    // It walks its tree by recursion.
    let worker = std::thread::Builder::new().stack_size(512 << 20).spawn(measure).unwrap();
    worker.join().unwrap();
}

fn measure() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [expression, input, output, seconds, rounds] = &arguments[..] else { panic!("five arguments") };
    let expression = Expression::compile(&std::fs::read_to_string(expression).unwrap()).unwrap();
    let input = std::fs::read_to_string(input).unwrap();
    let (seconds, rounds): (f64, usize) = (seconds.parse().unwrap(), rounds.parse().unwrap());
    let once = || expression.evaluate(&JValue::from_json_str(&input).unwrap()).unwrap().to_json_string().unwrap();
    std::fs::write(output, once()).unwrap();
    let mut taken: Vec<f64> = (0..=rounds)
        .map(|_| {
            let (begun, mut times) = (cpu(), 0.0);
            loop {
                std::hint::black_box(once());
                times += 1.0;
                if cpu() - begun >= seconds {
                    return (cpu() - begun) / times;
                }
            }
        })
        .skip(1)
        .collect();
    taken.sort_by(f64::total_cmp);
    println!("{}", taken[taken.len() / 2]);
}

/// CPU seconds of this process.
fn cpu() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}
