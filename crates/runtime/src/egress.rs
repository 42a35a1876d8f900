//! Private ranges an environment may reach: rows that only the operator writes. No tenant user,
//! whatever their permissions, gets here; the operator's own channel calls these.

use lockgate_connector_api::{Allowance, Egress};
use lockgate_model::{
    Kind,
    audit::{Entry, Outcome},
    definition::EgressAllowance,
    id::{EnvironmentId, TenantId},
};
use lockgate_store::{Change, Put};

use crate::{Error, Runtime, View};

/// Id of an allowance's row.
fn row_id(allowance: &EgressAllowance) -> String {
    format!("{}/{}/{}-{}", allowance.environment, allowance.cidr, allowance.port_first, allowance.port_last)
}

/// The egress rule of an environment.
pub(crate) fn rule(view: &View, environment: &EnvironmentId) -> Result<Egress, Error> {
    let mut allowed = Vec::new();
    for row in view.rows(Kind::Egress, &format!("{environment}/")) {
        let row: EgressAllowance = row.read()?;
        let allowance = Allowance::parse(&row.cidr, row.port_first, row.port_last).map_err(|error| {
            tracing::error!(%error, cidr = row.cidr, "an egress allowance cannot be read");
            Error::Internal { what: "reading the egress rule".into() }
        })?;
        allowed.push(allowance);
    }
    Ok(Egress::new(allowed))
}

impl Runtime {
    /// Operator: allows ranges and withdraws others, in one change.
    pub async fn operator_egress(
        &self,
        tenant: &TenantId,
        allow: Vec<EgressAllowance>,
        withdraw: Vec<EgressAllowance>,
    ) -> Result<(), Error> {
        for allowance in &allow {
            let range = Allowance::parse(&allowance.cidr, allowance.port_first, allowance.port_last)
                .map_err(|error| Error::invalid("LG-EGRESS", error.to_string()))?;
            if range.is_all_metadata() {
                let message = format!("`{}` is a metadata address, which is never dialled", allowance.cidr);
                return Err(Error::invalid("LG-EGRESS", message));
            }
        }
        let view = self.view(tenant)?;
        for allowance in &allow {
            if view.row(Kind::Environment, allowance.environment.as_str()).is_none() {
                return Err(Error::not_found(format!("environment `{}`", allowance.environment)));
            }
        }
        let puts = allow
            .iter()
            .filter(|a| view.row(Kind::Egress, &row_id(a)).is_none())
            .map(|a| Ok(Put { kind: Kind::Egress, id: row_id(a), body: body(a)? }))
            .collect::<Result<Vec<_>, Error>>()?;
        let deletes: Vec<_> = withdraw
            .iter()
            .map(|a| (Kind::Egress, row_id(a)))
            .filter(|(kind, id)| view.row(*kind, id).is_some())
            .collect();
        if puts.is_empty() && deletes.is_empty() {
            return Ok(());
        }
        let mut entry = Entry::new(self.now(), "operator-egress", Outcome::Done, "operator");
        entry.object = puts
            .iter()
            .map(|p| p.id.as_str())
            .chain(deletes.iter().map(|d| d.1.as_str()))
            .collect::<Vec<_>>()
            .join(" ");
        let change = Change { tenant: tenant.clone(), entry, expected: Some(view.revision), puts, deletes };
        self.commit_once(change).await
    }

    /// Operator: all allowances of a tenant.
    pub fn operator_egress_list(&self, tenant: &TenantId) -> Result<Vec<EgressAllowance>, Error> {
        self.view(tenant)?.rows(Kind::Egress, "").map(|row| Ok(row.read()?)).collect()
    }
}

fn body<T: serde::Serialize>(value: &T) -> Result<serde_json::Value, Error> {
    serde_json::to_value(value).map_err(|_| Error::Internal { what: "writing a definition".into() })
}
