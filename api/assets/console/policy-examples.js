/* What policies are begun with. Names of kinds, actions and attributes are those of the tenant where it has them; the check
 * beside the editor says which it has not. */

import { text } from "./text-policies.js";

const policy = (name, description, resource, action, effect, conditions, more = {}) =>
  ({ name, description, target: { resource, action }, rules: { effect, conditions }, ...more });

export const EXAMPLES = [
  {
    id: "premium",
    policy: policy("PremiumCustomersCancel", "Premium customers may cancel up to 24 hours before", "booking", "cancel", "allow",
      [{ "user.role": "PremiumCustomer", "booking.scheduled_time": "> now() + 24h" }]),
  },
  {
    id: "own",
    policy: policy("OwnBookingsOnly", "Customers may see what they have booked themselves", "booking", "read", "allow", [{ "booking.customer_id": "== user.id" }]),
  },
  {
    id: "limit",
    policy: policy("ConfirmUpToTheLimit", "Agents may confirm what the tenant's limit covers", "booking", "confirm", "allow",
      [{ "user.role": "Agent", "booking.amount": "<= tenant.limits.auto_approve" }]),
  },
  {
    id: "hours",
    policy: policy("OfficeHoursOnly", "Nobody changes roles outside office hours", "role", "update", "deny",
      [{ "env.time": "not(between 09:00 and 18:00 Europe/Paris)" }], { priority: 10 }),
  },
  {
    id: "network",
    policy: policy("OfficeNetworkOnly", "Accounts are exported from the network of the office only", "account", "export", "deny",
      [{ "env.ip": "not(in 203.0.113.0/24)" }], { priority: 10 }),
  },
  {
    id: "second-factor",
    policy: policy("DeleteWithSecondFactor", "Who has not shown a second factor deletes no account", "account", "delete", "deny",
      [{ "env.amr": "not(contains 'otp')" }]),
  },
  { id: "empty", policy: policy("NewPolicy", null, "*", "read", "allow", [{ "user.role": "" }]) },
].map((example) => ({ ...example, ...text.examples[example.id] }));
