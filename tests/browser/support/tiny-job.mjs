// A job so small that WebGPU in software can run it: six queries, twenty documents of at most 16 tokens.

export const queries = [
  "how to remove coffee stains",
  "waterproof hiking boots",
  "cheap flights to lisbon",
  "learn to play chess",
  "fix a flat bicycle tyre",
  "best time to plant tomatoes",
];

/** Enough of them for a difference to be more than chance. */
export const manyQueries = [
  ...queries,
  "coffee for espresso",
  "city trip portugal",
  "shoes for wet weather",
  "garden in spring",
  "flat tyre on my bike",
  "board games for two",
  "boil water quickly",
  "chair for the office",
  "write down notes",
  "red wine on my shirt",
];

export const documents = [
  "Stain remover for coffee, tea and red wine.",
  "Arabica coffee beans, dark roast, 1 kg.",
  "Hiking boots with a waterproof membrane and a grippy sole.",
  "Canvas sneakers for the summer.",
  "Waterproofing spray for shoes and tents.",
  "Low-cost airlines that fly to Portugal.",
  "Lisbon city guide with maps and restaurants.",
  "Flight simulator for your computer.",
  "Chess for beginners: rules, openings and first tactics.",
  "Wooden chess set with a folding board.",
  "Checkers and draughts, travel edition.",
  "Repair kit for bicycle tubes with patches and levers.",
  "Floor pump with a pressure gauge for bicycle tyres.",
  "Car tyres for winter, set of four.",
  "Tomato seedlings should go outside after the last frost.",
  "Garden calendar: when to sow and plant vegetables.",
  "Tomato sauce with basil, 500 g.",
  "Electric kettle with temperature control.",
  "Office chair with lumbar support.",
  "Notebook with dotted paper.",
];
