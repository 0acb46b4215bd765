// What esbuild inlines into the bundles as text. jest's transform does the same.
declare module '*.sql' {
  const statement: string;
  export default statement;
}
declare module '*.css' {
  const text: string;
  export default text;
}
declare module '*.client.js' {
  const text: string;
  export default text;
}
