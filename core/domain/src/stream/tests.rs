mod properties;
mod scenarios;
mod script;
