//! Signing where the chains of the audit log end, over nothing but what follows from what was signed before.
//!
//! Who can write the database can chain a forged log anew, to its end, and needs a signature to make it look true: the
//! server must not put its own under that. So it remembers how far each chain is proved, from the kept head that it finds
//! at its start, reads on from there, and signs what fits. What does not fit is never signed by this process, and what
//! was kept of heads stays as it is: `audit verify` finds the place. A chain of which no head is left at a start
//! is told of in the log itself: who took it away cannot keep that entry out.

use std::{collections::BTreeMap, time::Duration};

use lockgate_keys::{HeadKey, HeadSigner};
use lockgate_model::{
    Digest,
    audit::{Entry, GENESIS, Outcome, SignedHead, Verifier},
    id::{TenantId, WriterId},
};

use crate::{Error, Runtime};

/// Between two signatures of a chain that grows: what was cut off its end is found but for so much.
const SIGNED_EVERY: Duration = Duration::from_secs(60);
/// Links that are read at once to prove a chain.
const LINKS: u32 = 1_000;

/// A place of a chain and the hash of its entry.
type Place = (u64, Digest);

/// How far this process knows each chain to be true; `None` of one that is not.
#[derive(Default)]
pub(crate) struct Proved(tokio::sync::Mutex<BTreeMap<(TenantId, WriterId), Option<Place>>>);

impl Runtime {
    /// Looks, before anything is appended, where each chain was signed to end.
    pub(crate) async fn remember_heads(&self) -> Result<(), Error> {
        let mut proved = self.0.proved.0.lock().await;
        for tenant in self.0.store.tenants().await? {
            let key = self.head_signer(&tenant)?.public();
            let kept = self.0.store.signed_heads(&tenant).await?;
            for (writer, last, _) in self.0.store.audit_heads(&tenant).await? {
                let head = kept.iter().find(|head| head.writer == writer);
                let from = match head {
                    Some(head) if key.holds(head) => Some((head.seq, head.hash)),
                    Some(_) => None,
                    None => Some((0, GENESIS)),
                };
                if from.is_none() {
                    tracing::error!(%tenant, %writer, "the kept end of the audit log was not signed by this installation: nothing of that chain is signed any more; see `lockgate audit verify`");
                }
                if head.is_none() && last > 0 {
                    let mut entry = Entry::new(self.now(), "audit-unproven", Outcome::Done, "operator");
                    entry.detail.insert("writer".to_owned(), writer.to_string());
                    entry.detail.insert("last".to_owned(), last.to_string());
                    self.record(&tenant, entry).await?;
                }
                proved.insert((tenant.clone(), writer), from);
            }
        }
        Ok(())
    }

    /// Signs the heads of all chains that have grown, at once, then over and over, and once more at `stop`.
    pub async fn keep_heads_signed(&self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut stopped = false;
        loop {
            for tenant in self.0.views.tenants() {
                if let Err(error) = self.sign_heads(&tenant).await {
                    tracing::error!(%tenant, %error, "the end of the audit log cannot be signed; it is tried again");
                }
            }
            if stopped {
                return;
            }
            stopped = tokio::time::timeout(SIGNED_EVERY, &mut stop).await.is_ok();
        }
    }

    /// Signs the ends of a tenant's chains that are not signed yet and follow from what was. Answers whether all do.
    pub(crate) async fn sign_heads(&self, tenant: &TenantId) -> Result<bool, Error> {
        let signer = self.head_signer(tenant)?;
        let mut proved = self.0.proved.0.lock().await;
        let anchors = self.0.store.audit_anchors(tenant).await?;
        let mut all = true;
        for (writer, seq, hash) in self.0.store.audit_heads(tenant).await? {
            let own = writer == *self.0.store.writer();
            let known = proved.entry((tenant.clone(), writer.clone())).or_insert(own.then_some((0, GENESIS)));
            let Some(from) = *known else {
                all = false;
                continue;
            };
            let from = self.behind_anchor(&signer.public(), &anchors, &writer, from);
            if (seq, hash) == from {
                continue;
            }
            match self.follows(tenant, &writer, from, (seq, hash)).await? {
                true => {
                    self.0.store.keep_head(signer.sign(tenant, &writer, (seq, hash), self.now())).await?;
                    *known = Some((seq, hash));
                }
                false => {
                    tracing::error!(%tenant, %writer, from = from.0, "the audit log does not go on from where it was signed: nothing of that chain is signed any more; see `lockgate audit verify`");
                    (*known, all) = (None, false);
                }
            }
        }
        Ok(all)
    }

    /// What was removed by this installation, in time, is proved by its anchor.
    fn behind_anchor(&self, key: &HeadKey, anchors: &[SignedHead], writer: &WriterId, from: Place) -> Place {
        let anchor = anchors.iter().find(|anchor| anchor.writer == *writer && key.holds_anchor(anchor));
        anchor.filter(|anchor| anchor.seq > from.0).map_or(from, |anchor| (anchor.seq, anchor.hash))
    }

    /// Whether the entries behind a place are chained to it, down to the end.
    async fn follows(&self, tenant: &TenantId, writer: &WriterId, from: Place, end: Place) -> Result<bool, Error> {
        let mut verifier = Verifier::default();
        let (seq, hash) = from;
        let begin = SignedHead {
            tenant: tenant.clone(),
            writer: writer.clone(),
            seq,
            hash,
            at: self.now(),
            signature: String::new(),
        };
        let mut last = from;
        if verifier.anchor(&begin).is_err() {
            return Ok(false);
        }
        while last.0 < end.0 {
            let links = match self.0.store.audit(tenant, Some((writer.clone(), last.0)), LINKS).await {
                Ok(links) => links,
                Err(lockgate_store::Error::Broken(_)) => return Ok(false),
                Err(error) => return Err(error.into()),
            };
            // What comes after the end of a chain is the next chain.
            let before = last;
            for link in links.iter().filter(|link| link.writer == *writer && link.seq <= end.0) {
                if verifier.link(link).is_err() {
                    return Ok(false);
                }
                last = (link.seq, link.hash);
            }
            if last == before {
                return Ok(false);
            }
        }
        Ok(last == end)
    }

    pub(crate) fn head_signer(&self, tenant: &TenantId) -> Result<HeadSigner, Error> {
        self.0.master.head_signer(tenant).map_err(|_| Error::Internal { what: "the key of the audit log".into() })
    }
}
