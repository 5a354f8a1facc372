//! A store and its archive on a file system that is full, at every amount of space that is left:
//! whatever a compaction could not do, the next one does, and each line is archived once.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::hands::{assert_archived, write_store};
use crate::harness::Home;

const SESSIONS: usize = 5;

/// Blocks of the file system, in bytes.
const BLOCK: usize = 1024;

/// A small ext4 in a file, unmounted in the end.
struct Ext4<'a>(&'a Path);

impl<'a> Ext4<'a> {
    /// `None`, with the reason printed, where that cannot be done.
    fn mount(image: &Path, folder: &'a Path) -> Option<Self> {
        let file = fs::File::create(image).unwrap();
        file.set_len(1024 * 1024).unwrap();
        drop(file);
        let made = run(Command::new("mkfs.ext4")
            .args(["-q", "-F", "-m", "0", "-b", "1024", "-O", "^has_journal"])
            .arg(image));
        let mounted = made
            && run(Command::new("mount")
                .args(["-o", "loop"])
                .args([image, folder]));
        if !mounted {
            println!("skipped: this user may not make and mount a small file system");
        }
        mounted.then_some(Self(folder))
    }
}

impl Drop for Ext4<'_> {
    fn drop(&mut self) {
        run(Command::new("umount").arg(self.0));
    }
}

fn run(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// Fills the file system, but for so many blocks.
fn fill(disk: &Path, left: usize) {
    let path = disk.join("filler");
    let mut file = fs::File::create(&path).unwrap();
    let mut bytes = 0;
    for chunk in [64 * BLOCK, BLOCK] {
        let chunk = vec![7; chunk];
        while std::io::Write::write_all(&mut file, &chunk).is_ok() {
            bytes += chunk.len();
        }
        bytes = bytes / BLOCK * BLOCK;
        file.set_len(bytes as u64).unwrap();
        std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0)).unwrap();
    }
    file.set_len(bytes.saturating_sub(left * BLOCK) as u64)
        .unwrap();
    file.sync_all().unwrap();
}

#[test]
fn a_full_disk_at_any_point_of_a_compaction_archives_each_line_once() {
    let home = Home::new();
    let disk = home.path().join("store");
    fs::create_dir_all(&disk).unwrap();
    write_store(&home, SESSIONS);
    let base = home.path().join("base.redb");
    fs::rename(home.store_path(), &base).unwrap();
    let image = home.path().join("image");
    let Some(_mounted) = Ext4::mount(&image, &disk) else {
        return;
    };
    let archive = disk.join("archive");
    let arguments = ["compact", "--all", "--archive", "store/archive"];
    let (mut points, mut failed, mut done) = (0, 0, 0);
    for left in 0..250 {
        drop(fs::remove_dir_all(&archive));
        fs::copy(&base, home.store_path()).unwrap();
        fill(&disk, left);
        let output = home.run(&arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains("panicked"), "{said}");
        points += 1;
        if output.status.success() {
            done += 1;
        } else {
            failed += 1;
            assert!(said.contains("error: "), "{said}");
        }
        // Twice on a full disk, then with space.
        drop(home.run(&arguments));
        fs::remove_file(disk.join("filler")).unwrap();
        home.ok(&arguments);
        assert_archived(&archive, SESSIONS);
        if done > 3 {
            break;
        }
    }
    home.ok(&["verify", "--deep"]);
    println!("{points} amounts of space, of which {failed} were too little");
    assert!(failed > 10 && done > 0, "{points}, {failed}, {done}");
}
