//! The tutorial's running loss.

use tch::{Device, Tensor};

use crate::error::{Error, Result};

/// Losses added up, as the tutorial's `running_loss += loss.item()`, to the same f64.
///
/// On the CPU a loss is read at once, which costs nothing. On a GPU reading would wait until the
/// step is done; there the sum is kept in the GPU's memory until it is asked for.
///
/// ```
/// use blitz::train::step::RunningLoss;
/// use blitz::tch::Tensor;
///
/// let mut running_loss = RunningLoss::default();
/// running_loss.add(&Tensor::from(2.5f32))?;
/// running_loss.add(&Tensor::from(1.5f32))?;
/// assert_eq!(running_loss.take_mean()?, Some(2.0));
/// assert_eq!(running_loss.take_mean()?, None);
/// # Ok::<(), blitz::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct RunningLoss {
    read: f64,
    /// f64 of shape [] on the losses' device.
    unread: Option<Tensor>,
    count: usize,
}

impl RunningLoss {
    /// Adds a batch's loss, a tensor of one element, which is not modified.
    ///
    /// # Errors
    ///
    /// [`Error::Shape`] for another number of elements.
    pub fn add(&mut self, loss: &Tensor) -> Result<()> {
        if !loss.defined() || loss.numel() != 1 {
            let got = match loss.defined() {
                true => format!("shape {:?}", loss.size()),
                false => "an undefined tensor".to_owned(),
            };
            let expected = "a loss of one element".to_owned();
            return Err(Error::Shape { operation: "RunningLoss", expected, got });
        }
        match loss.device() {
            Device::Cpu => self.read += f64::try_from(loss)?,
            _ => self.keep(loss)?,
        }
        self.count += 1;
        Ok(())
    }

    /// The mean of the losses since the last call, and begins anew; `None` where there were none.
    /// On a GPU this waits for all steps so far.
    ///
    /// # Errors
    ///
    /// [`Error::Torch`] where the GPU failed.
    pub fn take_mean(&mut self) -> Result<Option<f64>> {
        let done = std::mem::take(self);
        if done.count == 0 {
            return Ok(None);
        }
        let unread = done.unread.map_or(Ok(0.0), f64::try_from);
        let unread = unread.map_err(Error::torch("reading the running loss"))?;
        Ok(Some((done.read + unread) / done.count as f64))
    }

    /// How many losses have been added since the last [`RunningLoss::take_mean`].
    pub fn count(&self) -> usize {
        self.count
    }

    fn keep(&mut self, loss: &Tensor) -> Result<()> {
        let loss = loss.detach().reshape([] as [i64; 0]);
        let failed = Error::torch("adding up the loss");
        self.unread = Some(match self.unread.take() {
            None => loss.f_to_kind(tch::Kind::Double).map_err(failed)?,
            Some(mut sum) => sum.f_add_(&loss).map_err(failed)?,
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a GPU does, on the CPU: the same f64 as reading each loss.
    #[test]
    fn sums_kept_on_the_device_are_those_read_at_once() {
        let losses = [2.2025f32, 0.1, 1e-7, 3.75].map(Tensor::from);
        let (mut kept, mut read) = (RunningLoss::default(), RunningLoss::default());
        for loss in &losses {
            kept.keep(loss).unwrap();
            kept.count += 1;
            read.add(loss).unwrap();
        }
        assert_eq!(kept.count(), 4);
        assert_eq!(kept.take_mean().unwrap(), read.take_mean().unwrap());
        assert_eq!(f64::try_from(&losses[0]).unwrap(), f64::from(2.2025f32)); // not added to
    }

    #[test]
    fn a_loss_of_several_elements_is_refused() {
        let mut running_loss = RunningLoss::default();
        for (wrong, got) in
            [(Tensor::from_slice(&[1.0, 2.0]), "shape [2]"), (Tensor::new(), "undefined")]
        {
            let message = running_loss.add(&wrong).unwrap_err().to_string();
            assert!(message.contains("one element") && message.contains(got), "{message}");
        }
        running_loss.add(&Tensor::from_slice(&[1.5])).unwrap();
        assert_eq!(running_loss.take_mean().unwrap(), Some(1.5));
    }
}
