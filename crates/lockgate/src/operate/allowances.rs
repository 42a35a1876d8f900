//! The egress allowances of quickstart: one for each practice endpoint, whose port changes with each start.
//!
//! `practice.json` in the data directory says which are its own, so that it withdraws those of earlier starts and none of
//! the operator's.

use std::{
    io::Write,
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use lockgate_model::{
    definition::EgressAllowance,
    id::{EnvironmentId, TenantId},
};

use crate::{exit::Exit, operate::installation::Installation};

/// Allows exactly the practice endpoints, and withdraws those of earlier starts.
pub async fn allow(
    installation: &Installation,
    data: &Path,
    (tenant, environment): (&TenantId, &EnvironmentId),
    endpoints: &[SocketAddr],
) -> Result<(), Exit> {
    let failed = |e: lockgate_runtime::Error| Exit::failed(e.code(), e.to_string());
    let row = |at: &SocketAddr| EgressAllowance {
        environment: environment.clone(),
        cidr: format!("{}/32", at.ip()),
        port_first: at.port(),
        port_last: at.port(),
    };
    let wanted: Vec<_> = endpoints.iter().map(row).collect();
    let there = installation.runtime.operator_egress_list(tenant).map_err(failed)?;
    let own = Own::of(data);
    let old: Vec<_> = own.rows().into_iter().filter(|row| there.contains(row)).collect();
    // What the operator has allowed already stays the operator's.
    let new: Vec<_> = wanted.iter().filter(|row| !there.contains(row)).cloned().collect();
    // Said before it is so: a start that breaks off in between leaves nothing behind that nobody withdraws.
    own.write(&[old.as_slice(), new.as_slice()].concat())?;
    let withdrawn = old.into_iter().filter(|row| !wanted.contains(row)).collect();
    installation.runtime.operator_egress(tenant, new, withdrawn).await.map_err(failed)
}

/// The file that says which allowances are quickstart's.
struct Own(PathBuf);

impl Own {
    fn of(data: &Path) -> Self {
        Self(data.join("practice.json"))
    }

    /// Those of earlier starts; none where nothing is said.
    fn rows(&self) -> Vec<EgressAllowance> {
        let text = std::fs::read(&self.0).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    fn write(&self, rows: &[EgressAllowance]) -> Result<(), Exit> {
        let text = serde_json::to_vec(rows).map_err(|e| Exit::failed("LG-QUICKSTART", e.to_string()))?;
        let whole = self.0.with_extension("new");
        let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&whole)?;
        file.write_all(&text)?;
        Ok(std::fs::rename(&whole, &self.0)?)
    }
}
