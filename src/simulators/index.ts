export { startAmlyzeSimulator, type AmlyzeOptions } from './amlyze/amlyze-simulator';
export { startMyposSimulator, type MyposOptions } from './mypos/mypos-simulator';
export { startOneSingleViewSimulator, type OneSingleViewOptions } from './onesingleview/onesingleview-simulator';
export type { RunningSimulator } from './kernel/server';
export { SANDBOX_AMLYZE, SANDBOX_MYPOS, SANDBOX_ONESINGLEVIEW } from './defaults';
export type { FaultAction, FaultKind, FaultMatch, FaultRule } from './faults';
export { SimulatorControl, type ShownLedgerEntry, type ShownOperation } from './control-client';
export { demoAccounts, demoRegistrations, type DemoAccount, type DemoBank, type Foreseen } from './demo';
export { demoCustomers, demoOperations, DEMO_BIC, type DemoOperation, type ForeseenOperation } from './demo-operations';
