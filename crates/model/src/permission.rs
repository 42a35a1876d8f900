//! Every permission, each with a stable identifier and separately grantable.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Where a permission belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Area {
    /// Tenant-wide administration.
    Global,
    /// Deploying, running and operating.
    Functional,
    /// Editing the objects of a project, and executing.
    Project,
    /// The API gateway.
    Gateway,
    /// The API portal.
    Portal,
}

/// The text names no permission.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no permission; `lockgate profile permissions` lists them")]
pub struct UnknownPermission(String);

macro_rules! permissions {
    ($($area:ident { $($name:ident = $id:literal,)* })*) => {
        /// A permission. The text form is stable; the order is not.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "each variant is its identifier, explained in docs/access.md")]
        pub enum Permission { $($($name,)*)* }

        impl Permission {
            /// All permissions, in the order of the access model.
            pub const ALL: &'static [Permission] = &[$($(Permission::$name,)*)*];
            /// The stable identifier.
            pub fn as_str(self) -> &'static str { match self { $($(Permission::$name => $id,)*)* } }
            /// Where it belongs.
            pub fn area(self) -> Area { match self { $($(Permission::$name => Area::$area,)*)* } }
        }
    };
}

permissions! {
    Global {
        UserManagement = "user-management",
        AccessControl = "access-control",
        ManagePersonalSetup = "manage-personal-setup",
        ManageCompanyCapabilities = "manage-company-capabilities",
        UserInterfaceAccess = "user-interface-access",
        AuditLog = "audit-log",
    }
    Functional {
        Deploy = "deploy",
        Export = "export",
        StagesAdminister = "stages-administer",
        AdvancedSecurityAdminister = "advanced-security-administer",
        Upgrade = "upgrade",
        SolutionCreate = "solution-create",
        SolutionUpdate = "solution-update",
        SolutionDelete = "solution-delete",
        LogsView = "logs-view",
        SettingsView = "settings-view",
        RunsControl = "runs-control",
        SchedulesControl = "schedules-control",
    }
    Project {
        AccountsCreate = "accounts.create",
        AccountsUpdate = "accounts.update",
        AccountsDelete = "accounts.delete",
        OperationsCreate = "operations.create",
        OperationsUpdate = "operations.update",
        OperationsDelete = "operations.delete",
        ReferenceDataCreate = "reference-data.create",
        ReferenceDataUpdate = "reference-data.update",
        ReferenceDataDelete = "reference-data.delete",
        DocumentTypesCreate = "document-types.create",
        DocumentTypesUpdate = "document-types.update",
        DocumentTypesDelete = "document-types.delete",
        IntegrationsCreate = "integrations.create",
        IntegrationsUpdate = "integrations.update",
        IntegrationsDelete = "integrations.delete",
        IntegrationsExecute = "integrations.execute",
        RestApisCreate = "rest-apis.create",
        RestApisUpdate = "rest-apis.update",
        RestApisDelete = "rest-apis.delete",
        RestApisExecute = "rest-apis.execute",
        SoapApisCreate = "soap-apis.create",
        SoapApisUpdate = "soap-apis.update",
        SoapApisDelete = "soap-apis.delete",
        SoapApisExecute = "soap-apis.execute",
        ListenersCreate = "listeners.create",
        ListenersUpdate = "listeners.update",
        ListenersDelete = "listeners.delete",
    }
    Gateway {
        ApisManage = "apis-manage",
        ApisPublishToPortal = "apis-publish-to-portal",
        ApisActivate = "apis-activate",
        ApisDeactivate = "apis-deactivate",
        ApplicationsManage = "applications-manage",
        AliasesManage = "aliases-manage",
        GlobalPoliciesManage = "global-policies-manage",
        GlobalPoliciesActivate = "global-policies-activate",
        GlobalPoliciesDeactivate = "global-policies-deactivate",
        PolicyTemplatesManage = "policy-templates-manage",
        ThreatProtectionManage = "threat-protection-manage",
        PackagesPlansManage = "packages-plans-manage",
        PackagesPlansActivate = "packages-plans-activate",
        PackagesPlansDeactivate = "packages-plans-deactivate",
        AssetsImport = "assets-import",
        AssetsExport = "assets-export",
        ConfigurationsView = "configurations-view",
        GeneralConfigurationsManage = "general-configurations-manage",
        SecurityConfigurationsManage = "security-configurations-manage",
        DestinationConfigurationsManage = "destination-configurations-manage",
        SystemSettingsManage = "system-settings-manage",
        RuntimeEventsPurge = "runtime-events-purge",
        RuntimeEventsRestore = "runtime-events-restore",
        ResultCacheManage = "result-cache-manage",
        PromotionsManage = "promotions-manage",
    }
    Portal {
        PortalAdminister = "portal-administer",
        PortalProvide = "portal-provide",
    }
}

impl Permission {
    /// Counts only from profiles valid in all environments (no climbing from one stage to the tenant).
    pub fn tenant_wide_only(self) -> bool {
        use Permission as P;
        match self {
            P::UserInterfaceAccess | P::ManagePersonalSetup => false,
            P::StagesAdminister | P::AdvancedSecurityAdminister => true,
            P::SolutionCreate | P::SolutionUpdate | P::SolutionDelete => true,
            other => other.area() == Area::Global,
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl FromStr for Permission {
    type Err = UnknownPermission;
    fn from_str(text: &str) -> Result<Self, UnknownPermission> {
        Self::ALL
            .iter()
            .copied()
            .find(|p| p.as_str() == text)
            .ok_or_else(|| UnknownPermission(text.chars().take(80).collect()))
    }
}
impl Serialize for Permission {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}
impl<'de> Deserialize<'de> for Permission {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A set of permissions, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Permissions(u128);

impl Permissions {
    /// No permission.
    pub const NONE: Self = Self(0);
    fn bit(p: Permission) -> u128 {
        1u128 << (p as u32)
    }
    /// Adds one.
    pub fn insert(&mut self, p: Permission) {
        self.0 |= Self::bit(p);
    }
    /// Holds this one.
    pub fn contains(self, p: Permission) -> bool {
        self.0 & Self::bit(p) != 0
    }
    /// Both sets together.
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
    /// Holds nothing.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
    /// The members, in the order of [`Permission::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |p| self.contains(*p))
    }
}
impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(items: I) -> Self {
        let mut set = Self::NONE;
        items.into_iter().for_each(|p| set.insert(p));
        set
    }
}
impl Serialize for Permissions {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(self.iter())
    }
}
impl<'de> Deserialize<'de> for Permissions {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(Vec::<Permission>::deserialize(d)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_unique_and_round_trip() {
        let mut seen = std::collections::BTreeSet::new();
        for p in Permission::ALL {
            assert!(seen.insert(p.as_str()), "{p} twice");
            assert_eq!(p.as_str().parse::<Permission>(), Ok(*p));
        }
        assert!(Permission::ALL.len() <= 128, "the bit set holds 128");
    }
}
