//! A training by several processes: what its ranks agree on, so that they go on and stop together.
//!
//! In a world of one, all of this is what a process does alone.

use tch::{Device, Kind, Tensor};

use crate::checkpoint::{self, Saved, Store};
use crate::data::loader::DataLoader;
use crate::distributed::{Pending, ProcessGroup, ReduceOp};
use crate::error::{Error, Result};

const OPERATION: &str = "fit";

/// Steps from one question whether anybody wants to stop to the next. The answer is asked for as
/// many steps later, when it has long been there, so that no step waits for it.
const STEPS_PER_QUESTION: usize = 10;

/// Why a rank wants to stop.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Trouble {
    Interrupted,
    /// The loss is NaN or infinite: since which epoch and step, counted from 1.
    Loss {
        epoch: usize,
        step: usize,
        loss: f64,
    },
}

/// Why all ranks stop.
pub(super) enum Stop {
    Interrupted,
    Failed(Error),
}

/// The processes of a training.
pub(super) struct Ranks {
    /// `None` where there is this one alone.
    group: Option<ProcessGroup>,
    trouble: Option<Trouble>,
    /// The question that is on its way.
    question: Option<Pending>,
    asked: usize,
}

impl Ranks {
    /// Those among which the loader's images are shared out.
    pub(super) fn of(train_loader: &DataLoader) -> Ranks {
        let group = train_loader.options().sampler.as_ref().map(|sampler| sampler.group.clone());
        let group = group.filter(ProcessGroup::has_others);
        Ranks { group, trouble: None, question: None, asked: 0 }
    }

    /// Whether this one prints, draws and writes.
    pub(super) fn is_main(&self) -> bool {
        self.group.as_ref().is_none_or(ProcessGroup::is_main)
    }

    pub(super) fn are_many(&self) -> bool {
        self.group.is_some()
    }

    /// Whether all ranks have come to the same, or to an error: `settings` in words.
    pub(super) fn agree<T>(&self, result: Result<(T, String)>) -> Result<T> {
        let Some(group) = &self.group else { return Ok(result?.0) };
        let (value, settings) = match result {
            Ok((value, settings)) => (Some(value), Ok(settings)),
            Err(error) => (None, Err(error)),
        };
        let all = group.gather_results(OPERATION, settings)?;
        if let Some((rank, other)) = all.iter().enumerate().find(|(_, other)| **other != all[0]) {
            let reason = format!("rank 0 has {}, and rank {rank} has {other}", all[0]);
            let remedy = "All ranks train with the same options, and as many batches.";
            return Err(group.disagreement(OPERATION, reason, remedy));
        }
        Ok(value.expect("an error was returned above"))
    }

    /// What rank 0 came to, on all ranks.
    pub(super) fn told(&self, result: Result<()>) -> Result<()> {
        self.agree(result.map(|()| ((), String::new())))
    }

    /// The mean of what each rank has.
    pub(super) fn mean(&self, value: f64) -> Result<f64> {
        let Some(group) = &self.group else { return Ok(value) };
        let mut mean = Tensor::from_slice(&[value]).to_device(group.device());
        group.all_reduce(&mut mean, ReduceOp::Mean)?;
        Ok(mean.double_value(&[0]))
    }

    /// What each rank has, f64 `[n]`: `[world, n]`, on the CPU.
    pub(super) fn gather(&self, own: Tensor) -> Result<Tensor> {
        let Some(group) = &self.group else { return Ok(own.unsqueeze(0)) };
        let all = group.all_gather(&own.to_device(group.device()))?;
        Ok(Tensor::f_stack(&all, 0)?.to_device(Device::Cpu))
    }

    /// The number of this one, and how many there are.
    pub(super) fn place(&self) -> (usize, usize) {
        self.group.as_ref().map_or((0, 1), |group| (group.rank(), group.world_size()))
    }

    /// Notes that the person wants to stop.
    pub(super) fn interrupt(&mut self) {
        self.trouble.get_or_insert(Trouble::Interrupted);
    }

    /// Notes what the loss became, in `step` of `epoch`; alone it is an error at once.
    pub(super) fn check_loss(&mut self, epoch: usize, step: usize, loss: f64) -> Result<()> {
        if loss.is_finite() {
            return Ok(());
        }
        if self.group.is_none() {
            return Err(Error::LossNotFinite { epoch, step, loss });
        }
        if !matches!(self.trouble, Some(Trouble::Loss { .. })) {
            self.trouble = Some(Trouble::Loss { epoch, step, loss });
        }
        Ok(())
    }

    /// Whether a rank wants to stop; all ranks learn it before the same step.
    pub(super) fn stop(&mut self) -> Result<Option<Stop>> {
        let Some(group) = &self.group else {
            let is_interrupted = self.trouble.take().is_some();
            return Ok(is_interrupted.then_some(Stop::Interrupted));
        };
        self.asked += 1;
        if !self.asked.is_multiple_of(STEPS_PER_QUESTION) {
            return Ok(None);
        }
        if let Some(question) = self.question.take()
            && question.wait()?.double_value(&[0]) > 0.0
        {
            return self.reason();
        }
        let wants = f32::from(u8::from(self.trouble.is_some()));
        let flag = Tensor::from_slice(&[wants]).to_device(group.device());
        self.question = Some(group.begin_all_reduce(OPERATION, flag, ReduceOp::Max)?);
        Ok(None)
    }

    /// Why, where some rank has a reason: asked by all ranks together.
    pub(super) fn reason(&mut self) -> Result<Option<Stop>> {
        let Some(group) = &self.group else { return Ok(None) };
        let words = match self.trouble.take() {
            None => String::new(),
            Some(Trouble::Interrupted) => INTERRUPTED.to_owned(),
            Some(Trouble::Loss { epoch, step, loss }) => format!("{epoch} {step} {loss}"),
        };
        let all = group.all_gather_text(OPERATION, &words)?;
        // The parameters that one rank spoils are those of the others in the next step.
        let losses = all.iter().enumerate().filter_map(|(rank, words)| {
            let mut words = words.split(' ');
            let mut number = || words.next()?.parse::<usize>().ok();
            let (epoch, step) = (number()?, number()?);
            Some((epoch, step, rank, words.next()?.to_owned()))
        });
        let Some((epoch, step, rank, loss)) = losses.min() else {
            let is_interrupted = all.iter().any(|words| words == INTERRUPTED);
            return Ok(is_interrupted.then_some(Stop::Interrupted));
        };
        let reason = format!(
            "the loss became {loss} on rank {rank} in epoch {epoch}, step {step}; the parameters \
             are spoilt"
        );
        Ok(Some(Stop::Failed(group.disagreement(OPERATION, reason, SMALLER_STEPS))))
    }

    /// `error` of a step, where another process is its cause.
    pub(super) fn explain(&self, error: Error) -> Error {
        match &self.group {
            Some(group) => group.explained(OPERATION, error),
            None => error,
        }
    }

    /// After the first step: whether the parameters are still the same on all ranks.
    pub(super) fn check_parameters(&self, parameters: &[Tensor]) -> Result<()> {
        let Some(group) = &self.group else { return Ok(()) };
        let sums: Vec<Tensor> =
            parameters.iter().map(|parameter| parameter.detach().sum(Kind::Double)).collect();
        if sums.is_empty() {
            return Ok(());
        }
        let all = group.all_gather(&Tensor::f_stack(&sums, 0)?.to_device(group.device()))?;
        // NaN is told of as what it is, and differs from itself.
        let is_nan = all.iter().any(|sums| sums.isfinite().all().int64_value(&[]) == 0);
        if is_nan || all.iter().all(|other| *other == all[0]) {
            return Ok(());
        }
        let reason = "after the first step the ranks have different parameters".to_owned();
        let remedy = "Wrap the net, so that gradients are averaged: DistributedDataParallel::new(net, \
                      &vs, &group, DdpOptions::default())?.";
        Err(group.disagreement(OPERATION, reason, remedy))
    }

    /// The random generators of the other ranks, for a checkpoint.
    pub(super) fn generators(&self) -> Result<Vec<(String, Tensor)>> {
        let Some(group) = &self.group else { return Ok(Vec::new()) };
        let mut states = Vec::new();
        for (name, state) in checkpoint::generator::states(group.device())? {
            let all = group.all_gather(&state.to_device(group.device()))?;
            let others = all.into_iter().enumerate().skip(1);
            states.extend(
                others.map(|(rank, state)| (of_rank(rank, &name), state.to_device(Device::Cpu))),
            );
        }
        Ok(states)
    }

    /// Rank 0's answer, on all ranks.
    pub(super) fn of_main(&self, answer: Result<bool>) -> Result<bool> {
        let Some(group) = &self.group else { return answer };
        let text = answer.as_ref().map_or(String::new(), bool::to_string);
        self.told(answer.map(|_| ()))?;
        Ok(group.all_gather_text(OPERATION, &text)?[0] == true.to_string())
    }

    /// The checkpoint that rank 0 reads, on all ranks.
    pub(super) fn share_saved(&self, read: impl FnOnce() -> Result<Saved>) -> Result<Saved> {
        let Some(group) = &self.group else { return read() };
        let saved = if group.is_main() { Some(read()) } else { None };
        let (saved, error) = match saved {
            Some(Err(error)) => (None, Some(error)),
            Some(Ok(saved)) => (Some(saved), None),
            None => (None, None),
        };
        self.told(error.map_or(Ok(()), Err))?;
        let text = saved.as_ref().map_or(String::new(), Saved::describe);
        let texts = group.all_gather_text(OPERATION, &text)?;
        let mut saved = match saved {
            Some(saved) => saved,
            None => Saved::from_description(&texts[0])?,
        };
        for (_, tensor) in &mut saved.tensors {
            let mut there = tensor.to_device(group.device());
            group.broadcast(&mut there, 0)?;
            *tensor = there.to_device(Device::Cpu);
        }
        Ok(saved)
    }

    /// Puts the net and the random generators back on all ranks: rank 0 from its files.
    pub(super) fn restore(
        &self,
        store: Option<&Store>,
        variables: &[(String, Tensor)],
        saved: &Saved,
    ) -> Result<()> {
        self.told(store.map_or(Ok(()), |store| store.restore(saved)))?;
        let Some(group) = &self.group else { return Ok(()) };
        for (_, variable) in variables {
            group.broadcast(&mut variable.shallow_clone(), 0)?;
        }
        if group.is_main() {
            return Ok(());
        }
        let own = of_rank(group.rank(), "");
        let states = saved.tensors.iter().filter_map(|(name, tensor)| {
            Some((name.strip_prefix(&own)?.to_owned(), tensor.shallow_clone()))
        });
        checkpoint::generator::restore(group.device(), &states.collect::<Vec<_>>())
    }
}

/// What a rank says that a person has interrupted.
const INTERRUPTED: &str = "interrupted";

const SMALLER_STEPS: &str = "Build the net and the optimizer anew with a smaller lr (divide it by \
                             10), and check that the images are normalised.";

/// The name of a rank's own tensor in a checkpoint.
fn of_rank(rank: usize, name: &str) -> String {
    format!("rank{rank}.{name}")
}
