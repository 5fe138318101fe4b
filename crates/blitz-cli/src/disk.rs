//! What this project has on the disk: where, how large, what it is for, and what it costs to get back.

use crate::project::Project;
use blitz_contract::layout;
use std::collections::{HashMap, HashSet};
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A kind of thing that the commands make, which `clean` can remove by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Pages, executed notebooks, logs.
    Results,
    /// cargo's build directory.
    Target,
    /// The kernel and the notebooks' compiled dependencies.
    Kernel,
    /// Data sets that were downloaded or made.
    Data,
    /// The Python environment.
    Python,
    /// nbgrader, for classes.
    Class,
    /// A browser and what drives it, for the site.
    Browser,
    /// What the other parts need to know of each other, and what has been executed.
    State,
}

impl Part {
    /// All of them.
    pub const ALL: [Part; 8] = [
        Part::Results,
        Part::Target,
        Part::Kernel,
        Part::Data,
        Part::Python,
        Part::Class,
        Part::Browser,
        Part::State,
    ];

    /// Its directories and files.
    pub fn paths(self, project: &Project) -> Vec<PathBuf> {
        let made = |name: &str| project.made().join(name);
        match self {
            Part::Results => vec![
                project.site_dir(),
                project.logs_dir(),
                made(layout::JUPYTER),
                project.test_dir(),
                // What `ruff.toml` names.
                made("ruff"),
                project.notebooks_dir().join(".ipynb_checkpoints"),
            ],
            Part::Target => vec![project.path("target")],
            Part::Kernel => vec![
                project.warm_dir(),
                made("bin"),
                project.evcxr_config_dir(),
                made(layout::KERNELS),
                made(layout::CELLS),
                project.sources_dir(),
                project.dependencies_dir(),
                project.example_dir(),
                project.programs_dir(),
                // What `.ci/run` has cargo download for these.
                made("ci-cargo-home"),
            ],
            // `.ci/run` builds CIFAR-10 there.
            Part::Data => vec![made(layout::DATA), made("cifar10"), project.bench_data_dir()],
            Part::Python => vec![project.venv(), project.libtorch()],
            Part::Class => vec![made("nbgrader")],
            Part::Browser => vec![made("browser")],
            Part::State => vec![made(layout::HISTORY), project.state_file(), project.made()],
        }
    }

    /// What removes it, and what it costs to get it back.
    pub fn remedy(self) -> &'static str {
        match self {
            Part::Results => "`clean`; back by the next `run`",
            Part::Target => {
                "`clean --target`; notebooks do not need it; back in half a minute, or in \
                 minutes where the kernel must be built anew or tests are run"
            }
            Part::Kernel => "`clean --kernel`; back by `setup` in minutes of compiling",
            Part::Data => "`clean --data`; back by the next run of 04, which downloads 170 MB",
            Part::Python => {
                "`clean --python`; back by `setup`, which downloads up to 3 GB where \
                 pip's cache has them no more"
            }
            Part::Class => "`clean --class`; back by the next `class nbgrader`, in a minute",
            Part::Browser => "`clean --browser`; back by the next `test site`, in a minute",
            Part::State => "`clean --all`; your history is gone for good",
        }
    }
}

/// Sizes of files on the disk; a file with several names counts once.
#[derive(Default)]
pub struct Sizes {
    seen: HashSet<(u64, u64)>,
}

impl Sizes {
    /// The bytes that `path` and all below it take and that no earlier call has counted. Links are
    /// not followed.
    pub fn add(&mut self, path: &Path) -> u64 {
        let mut bytes = 0;
        walk(path, &mut |_, metadata| {
            if self.seen.insert((metadata.dev(), metadata.ino())) {
                bytes += metadata.blocks() * 512;
            }
        });
        bytes
    }
}

/// The bytes that become free when all `paths` are removed: files that also have a name elsewhere
/// stay on the disk.
pub fn freed(paths: &[PathBuf]) -> u64 {
    let mut files: HashMap<(u64, u64), (u64, u64, u64)> = HashMap::new();
    for path in paths {
        walk(path, &mut |_, metadata| {
            let names = if metadata.is_dir() { 1 } else { metadata.nlink() };
            let key = (metadata.dev(), metadata.ino());
            files.entry(key).or_insert((metadata.blocks() * 512, 0, names)).1 += 1;
        });
    }
    files.values().filter(|(_, found, names)| found >= names).map(|(bytes, ..)| bytes).sum()
}

fn walk(path: &Path, visit: &mut impl FnMut(&Path, &Metadata)) {
    // What vanishes meanwhile, or may not be read, takes no part.
    let Ok(metadata) = path.symlink_metadata() else { return };
    visit(path, &metadata);
    if metadata.is_dir() {
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            walk(&entry.path(), visit);
        }
    }
}

/// Bytes as people read them.
pub fn human(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} KB", bytes.div_ceil(1000)),
        1_000_000..1_000_000_000 => format!("{} MB", bytes / 1_000_000),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// A path as it is named to people: from the repository's root on.
pub fn name(project: &Project, path: &Path) -> String {
    path.strip_prefix(project.root()).unwrap_or(path).display().to_string()
}

/// A table of what lies where.
pub fn report(project: &Project) -> String {
    let mut sizes = Sizes::default();
    let (mut lines, mut total) = (Vec::new(), 0);
    for part in Part::ALL {
        let mut sum = 0;
        let mut names = Vec::new();
        for path in part.paths(project) {
            let name = name(project, &path);
            let bytes = sizes.add(&path);
            sum += bytes;
            if let Ok(target) = fs::read_link(&path) {
                if path != project.libtorch() {
                    let target = target.display();
                    names.push(format!("{name} → {target}, which is not counted"));
                }
            } else if bytes > 0 && path != project.made() {
                names.push(format!("{name} {}", human(bytes)));
            }
        }
        total += sum;
        if names.is_empty() {
            continue;
        }
        lines.push(format!("{:>8}  {}", human(sum), names.join(", ")));
        if part == Part::Python {
            let cuda: u64 = cuda_dirs(project).iter().map(|dir| Sizes::default().add(dir)).sum();
            if cuda > 0 {
                lines.push(format!("{:8}  of which CUDA's libraries {}", "", human(cuda)));
            }
        }
        lines.push(format!("{:8}  {}", "", part.remedy()));
    }
    if lines.is_empty() {
        return "On the disk: nothing yet.\n".to_owned();
    }
    let elsewhere = pip_cache().map(|dir| (Sizes::default().add(&dir), dir));
    let elsewhere = elsewhere.filter(|(bytes, _)| *bytes > 0).map(|(bytes, dir)| {
        format!(
            "Elsewhere: pip's cache {} ({}), which serves other projects too; `pip cache purge`.\n",
            dir.display(),
            human(bytes)
        )
    });
    format!(
        "On the disk, in {}: {} (what has several names counts once)\n{}\n{}",
        project.root().display(),
        human(total),
        lines.join("\n"),
        elsewhere.unwrap_or_default()
    )
}

/// What only a GPU needs of the Python packages.
fn cuda_dirs(project: &Project) -> Vec<PathBuf> {
    let libs = fs::read_dir(project.venv().join("lib")).into_iter().flatten().flatten();
    let packages = libs.map(|entry| entry.path().join("site-packages"));
    packages.flat_map(|dir| ["nvidia", "triton"].map(|name| dir.join(name))).collect()
}

fn pip_cache() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    variable("PIP_CACHE_DIR").map(PathBuf::from).or_else(|| {
        let cache = variable("XDG_CACHE_HOME").map(PathBuf::from);
        cache.or_else(|| Some(Path::new(&variable("HOME")?).join(".cache"))).map(|d| d.join("pip"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_two_names_counts_once_and_is_freed_with_the_last() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let [one, two] = ["one", "two"].map(|name| dir.path().join(name));
        for dir in [&one, &two] {
            fs::create_dir(dir).expect("writable");
        }
        fs::write(one.join("file"), vec![1; 1_000_000]).expect("writable");
        fs::hard_link(one.join("file"), two.join("file")).expect("links");
        let mut sizes = Sizes::default();
        assert!((1_000_000..1_100_000).contains(&sizes.add(&one)));
        assert!(sizes.add(&two) < 100_000);
        assert!(freed(std::slice::from_ref(&one)) < 100_000);
        assert!((1_000_000..1_200_000).contains(&freed(&[one, two])));
    }

    #[test]
    fn what_a_link_points_to_is_not_counted() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let large = dir.path().join("large");
        fs::write(&large, vec![1; 1_000_000]).expect("writable");
        let inside = dir.path().join("inside");
        fs::create_dir(&inside).expect("writable");
        std::os::unix::fs::symlink(&large, inside.join("link")).expect("links");
        assert!(Sizes::default().add(&inside) < 100_000);
    }

    #[test]
    fn sizes_read_well() {
        assert_eq!([999, 1_500_000, 5_040_000_000].map(human), ["1 KB", "1 MB", "5.0 GB"]);
    }
}
