// What further devices see, as a table.

import type { DeviceFigures } from './devices';
import { FigureCells, FigureTable } from './figure-table';
import { DEVICE_HEADS, deviceCells } from './result';

export function DeviceTable({ devices }: { devices: readonly DeviceFigures[] }) {
  return (
    <FigureTable label="Further devices" heads={DEVICE_HEADS}>
      {devices.map((d) => {
        const [name, ...cells] = deviceCells(d);
        return (
          <tr
            key={`${d.number} ${d.route}`}
            data-testid="device"
            data-route={d.route}
            data-pictures={d.pictures}
            data-median={d.delay?.median}
            data-rate={d.rate}
          >
            <th scope="row">{name}</th>
            <FigureCells heads={DEVICE_HEADS} cells={cells} />
          </tr>
        );
      })}
    </FigureTable>
  );
}
