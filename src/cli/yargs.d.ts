import 'yargs';

declare module 'yargs' {
  interface Argv<T> {
    /** Of yargs 18; its published types are older. */
    usageConfiguration(configuration: { 'hide-types': boolean }): Argv<T>;
  }
}
