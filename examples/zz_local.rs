//! local
#![allow(
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing
)]
use scrollback::*;
use std::path::PathBuf;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let store = RedbStore::open(&a[2], Options::default()).unwrap();
    let t = std::time::Instant::now();
    match a[1].as_str() {
        "import" => {
            let paths: Vec<PathBuf> = a[3..].iter().map(PathBuf::from).collect();
            let r = import(&store, &paths, &ImportOptions::default(), &mut |_| {}).unwrap();
            let mut short = r.clone();
            short.problems.truncate(0);
            println!("{short:?}\n{} problems", r.problems.len());
            for p in r
                .problems
                .iter()
                .take(if std::env::var("P").is_ok() { 1000 } else { 5 })
            {
                println!("  {p:?}");
            }
            let secs = t.elapsed().as_secs_f64();
            println!(
                "{secs:.3} s, {:.0} MB/s, db {} bytes",
                (r.bytes + r.attachment_bytes) as f64 / 1e6 / secs,
                std::fs::metadata(&a[2]).unwrap().len()
            );
        }
        "export" => {
            let r = export_all(
                &store,
                None,
                ExportFormat::Jsonl,
                &PathBuf::from(&a[3]),
                &mut |_| {},
            )
            .unwrap();
            println!("{r:?} {:.3} s", t.elapsed().as_secs_f64());
        }
        "verify" => {
            let r = store.verify(&mut |_, _| {}).unwrap();
            println!("{r:?} {:.3} s", t.elapsed().as_secs_f64());
        }
        "compactdir" => println!(
            "{:?}",
            compact_folder(
                &PathBuf::from(&a[3]),
                a.get(4).map(PathBuf::from).as_deref(),
                &mut |_| {}
            )
        ),
        _ => {}
    }
}
