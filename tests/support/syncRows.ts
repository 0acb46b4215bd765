export * from './register.ts';
export * from './rows.ts';
