#!/bin/sh
# Makes demo.webm, the clip that "fanfare serve --demo" plays: ten seconds that join end to start, 640x360, 25 pictures a
# second, VP8 and Opus, a key frame each second. Needs ffmpeg (libvpx, libopus, drawtext) and the DejaVu fonts
# (fonts-dejavu-core in Debian).
set -eu
cd "$(dirname "$0")"
fonts=${FONTS:-/usr/share/fonts/truetype/dejavu}
out=${1:-demo.webm}

# Every motion has a period that divides ten seconds, so the loop has no seam.
turn='2*PI*t/10'

# A night sky of two slow colours, three soft lights that go round, a clock and a line that fills.
sky="color=s=640x360:r=25:d=10,format=rgb24,geq=r='18+26*(Y/H)+10*sin(2*PI*(T/10+X/W))':g='22+34*(Y/H)+8*sin(2*PI*(T/10-X/W))':b='52+58*(1-Y/H)+14*cos(2*PI*(T/10+Y/H))'"
light() { # colour, diameter
	echo "color=c=$1:s=$2x$2:r=25:d=10,format=rgba,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='190*exp(-pow(hypot(X-W/2,Y-H/2)/(W/5),2))'"
}
text="fontfile=$fonts/DejaVuSans.ttf:fontcolor=white"
mono="fontfile=$fonts/DejaVuSansMono-Bold.ttf:fontcolor=white"
graph="
$sky[sky];
$(light 0xffb454 300)[a];
$(light 0x4fd1c5 260)[b];
$(light 0xf06ba8 220)[c];
[sky][a]overlay=x='170+210*cos($turn)':y='30+120*sin($turn)':eval=frame[s1];
[s1][b]overlay=x='190-230*cos($turn)':y='50+110*sin(2*($turn))':eval=frame[s2];
[s2][c]overlay=x='210+200*sin(2*($turn))':y='70-110*cos($turn)':eval=frame[s3];
color=c=white:s=640x6:r=25:d=10[line];
[s3][line]overlay=x='-640+64*t':y=354:eval=frame[s4];
[s4]drawtext=$text:fontsize=38:text='Fanfare demo':x=(w-tw)/2:y=92:shadowcolor=black@0.4:shadowx=2:shadowy=2,
drawtext=$mono:fontsize=58:text='%{eif\:floor(t)\:d\:2}.%{eif\:mod(floor(t*25+0.5)\,25)\:d\:2}':x=(w-tw)/2:y=156:shadowcolor=black@0.4:shadowx=2:shadowy=2,
drawtext=$text:fontsize=17:text='second . picture':x=(w-tw)/2:y=232:alpha=0.75,format=yuv420p[v]"

# A gentle chord: a soft pluck on each second, one of five notes, over a quiet low tone.
note='(261.63*eq(mod(floor(t),5),0)+329.63*eq(mod(floor(t),5),1)+392*eq(mod(floor(t),5),2)+440*eq(mod(floor(t),5),3)+392*eq(mod(floor(t),5),4))'
tone="0.16*exp(-2.2*mod(t,1))*min(1,200*mod(t,1))*(sin(2*PI*$note*t)+0.3*sin(4*PI*$note*t))+0.03*sin(2*PI*130*t)"

ffmpeg -hide_banner -loglevel error -y \
	-filter_complex "$graph" -f lavfi -i "aevalsrc='$tone':s=48000:d=10" -map '[v]' -map 0:a \
	-fflags +bitexact -flags:v +bitexact -flags:a +bitexact -map_metadata -1 \
	-c:v libvpx -quality best -b:v 360k -maxrate 480k -bufsize 480k -g 25 -keyint_min 25 -auto-alt-ref 0 -error-resilient 0 -threads 1 \
	-c:a libopus -b:a 40k -ac 2 -application audio "$out"
