//! A set of access profiles of one tenant, by their number in the snapshot.

/// One bit per profile. Sets of one snapshot have the same length; a missing word is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ProfileSet(Vec<u64>);

impl ProfileSet {
    pub fn insert(&mut self, number: usize) {
        let word = number / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        if let Some(bits) = self.0.get_mut(word) {
            *bits |= 1 << (number % 64);
        }
    }

    /// The lowest number in both sets.
    pub fn first_common(&self, other: &Self) -> Option<usize> {
        self.0.iter().zip(&other.0).enumerate().find_map(|(word, (a, b))| {
            let both = a & b;
            (both != 0).then(|| word * 64 + both.trailing_zeros() as usize)
        })
    }

    /// All numbers in both sets, ascending.
    pub fn common<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = usize> + 'a {
        self.0.iter().zip(&other.0).enumerate().flat_map(|(word, (a, b))| {
            let both = a & b;
            (0..64).filter(move |bit| both & (1 << bit) != 0).map(move |bit| word * 64 + bit)
        })
    }
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
    }

    #[test]
    fn common_numbers_are_found_across_words() {
        let a: ProfileSet = [5, 64, 130].into_iter().collect();
        let b: ProfileSet = [64, 130, 131].into_iter().collect();
        assert_eq!(a.first_common(&b), Some(64));
        assert_eq!(a.common(&b).collect::<Vec<_>>(), [64, 130]);
    }
}
