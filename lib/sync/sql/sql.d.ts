// A statement is imported as text: esbuild inlines it into the bundle, jest's transform does the same.
declare module '*.sql' {
  const statement: string;
  export default statement;
}
