// Command open-volumes lets every user write into the folders that appear in the folder given.
//
// The controller manager makes a volume's folder for root alone (mode 0750), and fsGroup does nothing on hostPath
// volumes, so a container that runs as another user could not use its volume. The change comes within a millisecond of
// the folder, long before the volume is bound and a pod started on it.
package main

import (
	"log"
	"os"
	"path/filepath"
	"syscall"
)

func main() {
	folder := os.Args[1]
	watch, err := syscall.InotifyInit()
	if err != nil {
		log.Fatal(err)
	}
	if _, err := syscall.InotifyAddWatch(watch, folder, syscall.IN_CREATE|syscall.IN_MOVED_TO); err != nil {
		log.Fatal(err)
	}
	buffer := make([]byte, 1<<16)
	for {
		// Once before the first wait too: what came while nobody watched.
		open(folder)
		if _, err := syscall.Read(watch, buffer); err != nil && err != syscall.EINTR {
			log.Fatal(err)
		}
	}
}

func open(folder string) {
	volumes, err := os.ReadDir(folder)
	if err != nil {
		log.Fatal(err)
	}
	for _, volume := range volumes {
		// Its user may have narrowed an old one on purpose: only the mode that a fresh one has is changed.
		path := filepath.Join(folder, volume.Name())
		if info, err := os.Lstat(path); err == nil && info.Mode() == os.ModeDir|0o750 {
			if err := os.Chmod(path, 0o777); err != nil {
				log.Print(err)
			}
		}
	}
}
