//! What a launcher, such as torchrun, tells each process of a training: by environment variables.

use std::env;
use std::str::FromStr;

use crate::error::{Error, Result};

/// The variables without which no launcher has started a process.
pub(super) const RANK: &str = "RANK";
pub(super) const WORLD_SIZE: &str = "WORLD_SIZE";

/// The place of this process among those of the training.
///
/// The variables are those of [`torchrun`](https://docs.pytorch.org/docs/stable/elastic/run.html).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Number of this process, from 0: `RANK`.
    pub rank: usize,
    /// Number among the processes of this machine, from 0: `LOCAL_RANK`.
    pub local_rank: usize,
    /// Processes of the training: `WORLD_SIZE`.
    pub world_size: usize,
    /// Processes on this machine: `LOCAL_WORLD_SIZE`.
    pub local_world_size: usize,
    /// How often the launcher has started all processes again: `TORCHELASTIC_RESTART_COUNT`.
    pub restart_count: usize,
    /// Where the processes meet: `MASTER_ADDR`.
    pub address: String,
    /// And the port there: `MASTER_PORT`.
    pub port: u16,
    /// Whether the launcher serves the meeting place, instead of rank 0:
    /// `TORCHELASTIC_USE_AGENT_STORE`.
    pub has_agent_store: bool,
}

impl Environment {
    /// What the environment variables of this process say; `None` without a launcher, where neither
    /// `RANK` nor `WORLD_SIZE` is set.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] where a variable is missing, is no number, or does not fit the others.
    pub fn read() -> Result<Option<Environment>> {
        Environment::from_variables(|name| env::var(name).ok().filter(|text| !text.is_empty()))
    }

    /// The environment of a process that nobody launched.
    pub(super) fn alone() -> Environment {
        Environment {
            rank: 0,
            local_rank: 0,
            world_size: 1,
            local_world_size: 1,
            restart_count: 0,
            address: "127.0.0.1".to_owned(),
            port: 0,
            has_agent_store: false,
        }
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Environment>> {
        if variable(RANK).is_none() && variable(WORLD_SIZE).is_none() {
            return Ok(None);
        }
        let must = |name| number::<usize>(name, variable(name))?.ok_or_else(|| missing(name));
        let (rank, world_size) = (must(RANK)?, must(WORLD_SIZE)?);
        let or = |name, usual| Ok::<_, Error>(number(name, variable(name))?.unwrap_or(usual));
        let environment = Environment {
            rank,
            world_size,
            local_rank: or("LOCAL_RANK", rank)?,
            local_world_size: or("LOCAL_WORLD_SIZE", world_size)?,
            restart_count: or("TORCHELASTIC_RESTART_COUNT", 0)?,
            address: variable("MASTER_ADDR").ok_or_else(|| missing("MASTER_ADDR"))?,
            port: number("MASTER_PORT", variable("MASTER_PORT"))?
                .ok_or_else(|| missing("MASTER_PORT"))?,
            has_agent_store: variable("TORCHELASTIC_USE_AGENT_STORE")
                .is_some_and(|value| value.eq_ignore_ascii_case("true")),
        };
        environment.check()?;
        Ok(Some(environment))
    }

    fn check(&self) -> Result<()> {
        if self.world_size == 0 {
            return Err(Error::option(WORLD_SIZE, "at least 1 process", 0));
        }
        if i32::try_from(self.world_size).is_err() {
            return Err(Error::option(WORLD_SIZE, "at most 2147483647", self.world_size));
        }
        if self.rank >= self.world_size {
            let expected = format!("below WORLD_SIZE, which is {}", self.world_size);
            return Err(Error::option(RANK, expected, self.rank));
        }
        if !(1..=self.world_size).contains(&self.local_world_size) {
            let expected = format!("from 1 to WORLD_SIZE, which is {}", self.world_size);
            return Err(Error::option("LOCAL_WORLD_SIZE", expected, self.local_world_size));
        }
        if self.local_rank >= self.local_world_size {
            let expected = format!("below LOCAL_WORLD_SIZE, which is {}", self.local_world_size);
            return Err(Error::option("LOCAL_RANK", expected, self.local_rank));
        }
        Ok(())
    }
}

fn number<T: FromStr>(name: &'static str, text: Option<String>) -> Result<Option<T>> {
    let Some(text) = text else { return Ok(None) };
    match text.trim().parse() {
        Ok(number) => Ok(Some(number)),
        Err(_) => Err(Error::option(name, "a number, as torchrun sets it", format!("{text:?}"))),
    }
}

fn missing(name: &'static str) -> Error {
    let expected = "set where RANK or WORLD_SIZE is (torchrun and `cargo blitz launch` set all of \
                    them; without a launcher, unset both)";
    Error::option(name, expected, "nothing")
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: [(&str, &str); 8] = [
        ("RANK", "3"),
        ("LOCAL_RANK", "1"),
        ("WORLD_SIZE", "4"),
        ("LOCAL_WORLD_SIZE", "2"),
        ("MASTER_ADDR", "node0"),
        ("MASTER_PORT", "29500"),
        ("TORCHELASTIC_RESTART_COUNT", "2"),
        ("TORCHELASTIC_USE_AGENT_STORE", "True"),
    ];

    /// The usual variables with one changed, or taken away.
    fn read(changed: &str, value: Option<&str>) -> Result<Option<Environment>> {
        Environment::from_variables(|name| match name == changed {
            true => value.map(str::to_owned),
            false => USUAL.iter().find(|(usual, _)| *usual == name).map(|(_, v)| v.to_string()),
        })
    }

    #[test]
    fn what_torchrun_sets_is_read() {
        let environment = read("", None).unwrap().unwrap();
        let expected = Environment {
            rank: 3,
            local_rank: 1,
            world_size: 4,
            local_world_size: 2,
            restart_count: 2,
            address: "node0".to_owned(),
            port: 29500,
            has_agent_store: true,
        };
        assert_eq!(environment, expected);
        assert_eq!(Environment::from_variables(|_| None).unwrap(), None);
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        for (name, value, expected) in [
            ("RANK", Some("4"), "option RANK must be below WORLD_SIZE, which is 4, got 4"),
            ("RANK", Some("-1"), "option RANK must be a number, as torchrun sets it, got \"-1\""),
            ("RANK", None, "option RANK must be set where"),
            ("WORLD_SIZE", Some("0"), "option WORLD_SIZE must be at least 1 process, got 0"),
            ("WORLD_SIZE", None, "option WORLD_SIZE must be set"),
            ("MASTER_PORT", Some("70000"), "option MASTER_PORT must be a number"),
            ("MASTER_ADDR", None, "option MASTER_ADDR must be set"),
            ("LOCAL_RANK", Some("2"), "option LOCAL_RANK must be below LOCAL_WORLD_SIZE"),
            ("LOCAL_WORLD_SIZE", Some("5"), "option LOCAL_WORLD_SIZE must be from 1 to WORLD_SIZE"),
        ] {
            let message = read(name, value).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{name}={value:?}: {message}");
        }
    }
}
