// What further devices see, as a table.

import type { DeviceFigures } from './devices';
import { DEVICE_HEADS, deviceCells } from './result';

export function DeviceTable({ devices }: { devices: readonly DeviceFigures[] }) {
  return (
    <div class="scroll">
      <table class="figure">
        <thead>
          <tr>
            {DEVICE_HEADS.map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {devices.map((d) => {
            const [name, ...cells] = deviceCells(d);
            return (
              <tr
                key={d.number}
                data-testid="device"
                data-pictures={d.pictures}
                data-median={d.delay?.median}
                data-rate={d.rate}
              >
                <th scope="row">{name}</th>
                {cells.map((cell, i) => (
                  <td key={DEVICE_HEADS[i + 1]}>{cell}</td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
