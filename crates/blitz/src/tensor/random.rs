//! PyTorch's random numbers: the Mersenne Twister behind `torch.Generator`, draw for draw.

use rand_mt::Mt;

/// The CPU generator of PyTorch (`torch.Generator().manual_seed(seed)`).
///
/// It is MT19937 (Matsumoto and Nishimura, 1998), so the same seed gives the same order of a data
/// set here and in Python, on every machine.
///
/// ```
/// let mut generator = blitz::tensor::random::PyTorchGenerator::manual_seed(0);
/// // torch.randperm(5, generator=torch.Generator().manual_seed(0))
/// assert_eq!(generator.randperm(5), [4, 0, 1, 3, 2]);
/// ```
#[derive(Clone, Debug)]
pub struct PyTorchGenerator {
    engine: Mt,
    draws: u64,
}

impl PyTorchGenerator {
    /// A generator at the start of the sequence of `seed`. As in PyTorch, only the low 32 bits of
    /// the seed count.
    pub fn manual_seed(seed: u64) -> PyTorchGenerator {
        PyTorchGenerator { engine: Mt::new((seed & u64::from(u32::MAX)) as u32), draws: 0 }
    }

    /// The next 32 random bits (`CPUGeneratorImpl::random`).
    pub fn random(&mut self) -> u32 {
        self.draws += 1;
        self.engine.next_u32()
    }

    /// How many times 32 bits were drawn since the seed.
    pub fn draws(&self) -> u64 {
        self.draws
    }

    /// Moves on as if 32 bits were drawn `draws` times.
    ///
    /// ```
    /// use blitz::tensor::random::PyTorchGenerator;
    ///
    /// let mut generator = PyTorchGenerator::manual_seed(0);
    /// generator.randperm(5);
    /// let mut other = PyTorchGenerator::manual_seed(0);
    /// other.skip(generator.draws());
    /// assert_eq!(generator.random(), other.random());
    /// ```
    pub fn skip(&mut self, draws: u64) {
        for _ in 0..draws {
            self.random();
        }
    }

    /// The next 64 random bits, from two draws, the first one high (`CPUGeneratorImpl::random64`).
    pub fn random64(&mut self) -> u64 {
        let high = u64::from(self.random());
        high << 32 | u64::from(self.random())
    }

    /// A random order of `0..n` (`torch.randperm`): the Fisher-Yates shuffle from the front.
    ///
    /// `n` stays below 2^32 / 20, where PyTorch changes to 64-bit draws.
    pub fn randperm(&mut self, n: usize) -> Vec<i64> {
        let mut order: Vec<i64> = (0..n as i64).collect();
        for i in 0..n.saturating_sub(1) {
            let offset = self.random() as usize % (n - i);
            order.swap(i, i + offset);
        }
        order
    }
}
