#!/bin/sh
# Makes the clips of this folder again. Needs ffmpeg with libvpx, libvpx-vp9, libx264, libx265, libaom-av1, libopus and libvorbis.
# They are tiny on purpose: 64x48 pixels, 10 pictures a second, 2 s, a key frame each second.
set -eu
cd "$(dirname "$0")"
picture="testsrc=size=64x48:rate=10:duration=2"
sound="sine=frequency=440:duration=2:sample_rate=48000"
common="-hide_banner -loglevel error -y"
opus="-c:a libopus -b:a 8k -ac 1"
plain="-fflags +bitexact -flags:v +bitexact -flags:a +bitexact -map_metadata -1"
make() { # name, then encoder options
	out=$1
	shift
	# shellcheck disable=SC2086
	ffmpeg $common -f lavfi -i "$picture" -f lavfi -i "$sound" $plain -pix_fmt yuv420p -g 10 "$@" "$out"
}
make vp8-opus.webm -c:v libvpx -b:v 20k $opus
make vp9-opus.webm -c:v libvpx-vp9 -b:v 20k $opus
make av1-opus.webm -c:v libaom-av1 -cpu-used 8 -b:v 20k $opus
make h264-opus.mkv -c:v libx264 -preset fast -bf 0 -crf 40 $opus
make h264-opus.mp4 -c:v libx264 -preset fast -bf 0 -crf 40 $opus
make h264-opus-fragmented.mp4 -c:v libx264 -preset fast -bf 0 -crf 40 $opus -movflags frag_keyframe+empty_moov+default_base_moof
make h264-bframes-aac.mp4 -c:v libx264 -preset fast -bf 2 -crf 40 -c:a aac -b:a 16k -ac 1
make vp9-opus.mp4 -c:v libvpx-vp9 -b:v 20k $opus
make av1-opus.mp4 -c:v libaom-av1 -cpu-used 8 -b:v 20k $opus
make vp8-vorbis.webm -c:v libvpx -b:v 20k -c:a libvorbis -q:a 0 -ac 1
make hevc-aac.mp4 -c:v libx265 -x265-params log-level=none -crf 45 -c:a aac -b:a 16k -ac 1
make av1.ivf -map 0:v -c:v libaom-av1 -cpu-used 8 -b:v 20k
make av1.ogg -map 1:a $opus
make vp8-live.webm -c:v libvpx -b:v 20k $opus -live 1
make aac.mp4 -map 1:a -c:a aac -b:a 16k -ac 1
