import { useEffect, useState } from "preact/hooks";
import { QuerytuneError, type ReadOptions } from "querytune";
import { glance, type Layout } from "../columns.js";
import type { Slot } from "../data.js";

/** The layout of a file: as it was read, or, while it cannot be, as a look at its beginning tells. */
export function useLayout(
  slot: Slot<{ dispose(): void }, Pick<ReadOptions, "delimiter" | "encoding" | "hasHeader">>,
  read: Layout | undefined,
  format?: "csv",
): Layout {
  const [layout, setLayout] = useState<Layout>({ columns: [] });
  const [file, options, error] = [slot.file.value, slot.options.value, slot.error.value];
  // Its parts tell whether it is another one.
  const told = JSON.stringify(read);
  useEffect(() => {
    if (read) setLayout(read);
    if (read || !error || !file) return;
    let wanted = true;
    const isBinary = error instanceof QuerytuneError && error.code === "input-binary";
    const looking = isBinary
      ? Promise.resolve({ columns: [] })
      : glance(file, format ? { ...options, format } : options);
    looking.then(
      (found) => wanted && setLayout(found),
      () => wanted && setLayout({ columns: [] }),
    );
    return () => {
      wanted = false;
    };
  }, [file, options, error, format, told]);
  return layout;
}
