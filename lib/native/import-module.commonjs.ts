/** Imports a module by its name, in the CommonJS build: out of reach of the compiler, which would make it a `require()`. */
export const importModule = new Function('name', 'return import(name)') as <T>(name: string) => Promise<T>
