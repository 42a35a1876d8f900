//! A set of access profiles of one tenant, by their number in the snapshot.

/// One bit per profile; the first 64 lie in the set itself, so that a tenant with no more than that follows
/// no pointer for them. A missing word is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ProfileSet {
    first: u64,
    more: Vec<u64>,
}

impl ProfileSet {
    pub fn insert(&mut self, number: usize) {
        let bit = 1 << (number % 64);
        let Some(word) = (number / 64).checked_sub(1) else {
            self.first |= bit;
            return;
        };
        if self.more.len() <= word {
            self.more.resize(word + 1, 0);
        }
        if let Some(bits) = self.more.get_mut(word) {
            *bits |= bit;
        }
    }

    fn words(&self) -> impl Iterator<Item = u64> {
        std::iter::once(self.first).chain(self.more.iter().copied())
    }

    /// The lowest number in both sets.
    pub fn first_common(&self, other: &Self) -> Option<usize> {
        lowest(self.words().zip(other.words()).map(|(a, b)| a & b))
    }

    /// The lowest number in all three.
    pub fn first_of_three(&self, second: &Self, third: &Self) -> Option<usize> {
        lowest(self.words().zip(second.words()).zip(third.words()).map(|((a, b), c)| a & b & c))
    }

    /// All numbers in both sets, ascending.
    pub fn common<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = usize> + 'a {
        self.words().zip(other.words()).enumerate().flat_map(|(word, (a, b))| {
            let both = a & b;
            (0..64).filter(move |bit| both & (1 << bit) != 0).map(move |bit| word * 64 + bit)
        })
    }
}

fn lowest(words: impl Iterator<Item = u64>) -> Option<usize> {
    words.enumerate().find(|(_, bits)| *bits != 0).map(|(word, bits)| word * 64 + bits.trailing_zeros() as usize)
}

impl FromIterator<usize> for ProfileSet {
    fn from_iter<I: IntoIterator<Item = usize>>(numbers: I) -> Self {
        let mut set = Self::default();
        numbers.into_iter().for_each(|n| set.insert(n));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_one_set_alone_is_not_common() {
        let a: ProfileSet = [1, 63, 200].into_iter().collect();
        let b: ProfileSet = [0, 64, 201].into_iter().collect();
        assert_eq!(a.first_common(&b), None);
        assert_eq!(a.common(&b).count(), 0);
        assert_eq!(a.first_common(&ProfileSet::default()), None);
        assert_eq!(a.first_of_three(&a, &b), None);
    }

    #[test]
    fn common_numbers_are_found_across_words() {
        let a: ProfileSet = [5, 64, 130].into_iter().collect();
        let b: ProfileSet = [64, 130, 131].into_iter().collect();
        let c: ProfileSet = [5, 130].into_iter().collect();
        assert_eq!(a.first_common(&b), Some(64));
        assert_eq!(a.common(&b).collect::<Vec<_>>(), [64, 130]);
        assert_eq!(a.first_of_three(&b, &c), Some(130));
    }
}
