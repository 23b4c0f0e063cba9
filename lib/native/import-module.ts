/** Imports a module by its name. import-module.commonjs.ts does it where `import()` is compiled to `require()`, which takes no ES module on Node 20. */
export function importModule<T>(name: string): Promise<T> {
  return import(name)
}
