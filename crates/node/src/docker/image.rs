//! Images: inspect, pull, import, remove.

use std::collections::HashMap;

use bollard::models::{CreateImageInfo, ImageInspect};
use bollard::query_parameters::{CreateImageOptions, RemoveImageOptions};
use bollard::{Docker, body_full};
use futures_util::StreamExt;

use super::errors::{classify, is_not_found};
use crate::engine::{EngineError, Image, OnProgress, PullProgress};
use crate::reference::{checked_image, digest_of, with_tag};

pub(super) async fn inspect(docker: &Docker, reference: &str) -> Result<Option<Image>, EngineError> {
    match docker.inspect_image(checked_image(reference)?).await {
        Ok(found) => Ok(Some(image(reference, found))),
        Err(error) if is_not_found(&error) => Ok(None),
        Err(error) => Err(classify(error)),
    }
}

pub(super) async fn pull(docker: &Docker, reference: &str, progress: OnProgress<'_>) -> Result<Image, EngineError> {
    let wanted = with_tag(checked_image(reference)?);
    let options = CreateImageOptions { from_image: Some(wanted), ..CreateImageOptions::default() };
    let mut lines = std::pin::pin!(docker.create_image(Some(options), None, None));
    let mut layers = Layers::default();
    while let Some(line) = lines.next().await {
        layers.read(line.map_err(classify)?);
        progress(layers.sum());
    }
    let pulled = inspect(docker, reference).await?;
    pulled.ok_or_else(|| EngineError::Refused(format!("the pull of {reference} ended without the image")))
}

pub(super) async fn import(
    docker: &Docker,
    reference: &str,
    rootfs_tar: Vec<u8>,
    entry_point: &[String],
) -> Result<Image, EngineError> {
    let words = serde_json::to_string(entry_point).map_err(|error| EngineError::Refused(error.to_string()))?;
    // The stop signal of an image that names none is SIGTERM; Docker 20.10 does not take it as a change.
    let options = CreateImageOptions {
        from_src: Some("-".into()),
        // Podman overlooks the parameter `tag`.
        repo: Some(with_tag(checked_image(reference)?)),
        changes: if entry_point.is_empty() { vec![] } else { vec![format!("ENTRYPOINT {words}")] },
        ..CreateImageOptions::default()
    };
    let mut lines = std::pin::pin!(docker.create_image(Some(options), Some(body_full(rootfs_tar.into())), None));
    while let Some(line) = lines.next().await {
        line.map_err(classify)?;
    }
    let imported = inspect(docker, reference).await?;
    imported.ok_or_else(|| EngineError::Refused(format!("the import of {reference} ended without the image")))
}

pub(super) async fn remove(docker: &Docker, reference: &str) -> Result<(), EngineError> {
    let reference = checked_image(reference)?;
    match docker.remove_image(reference, None::<RemoveImageOptions>, None).await {
        Err(error) if !is_not_found(&error) => Err(classify(error)),
        _ => Ok(()),
    }
}

fn image(reference: &str, found: ImageInspect) -> Image {
    // Docker's containerd image store gives digests to images made here too; since API 1.53 it tells which were pulled.
    let made_here = found.identity.is_some_and(|identity| identity.pull.is_none_or(|pulled| pulled.is_empty()));
    let digests = found.repo_digests.unwrap_or_default();
    Image { id: found.id.unwrap_or_default(), repository_digest: digest_of(reference, &digests).filter(|_| !made_here) }
}

/// What is known of a pull's layers.
#[derive(Default)]
struct Layers {
    bytes: HashMap<String, PullProgress>,
}

impl Layers {
    /// Reads one line of a pull. Only downloads count: unpacking goes over the same bytes again.
    fn read(&mut self, line: CreateImageInfo) {
        let (Some(id), Some(status)) = (line.id, line.status) else { return };
        let layer = self.bytes.entry(id).or_default();
        let detail = line.progress_detail.unwrap_or_default();
        match status.as_str() {
            "Downloading" => {
                layer.current = detail.current.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or_default();
                let total = detail.total.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or_default();
                layer.total = total.max(layer.current);
            }
            "Download complete" | "Pull complete" => layer.current = layer.total,
            _ => {}
        }
    }

    fn sum(&self) -> PullProgress {
        self.bytes.values().fold(PullProgress::default(), |sum, layer| PullProgress {
            current: sum.current.saturating_add(layer.current),
            total: sum.total.saturating_add(layer.total),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn progress_is_summed_over_layers() {
        let mut layers = Layers::default();
        let mut read = |line| {
            layers.read(serde_json::from_value(line).expect("a line"));
            let sum = layers.sum();
            (sum.current, sum.total)
        };
        assert_eq!(read(json!({"status": "Pulling from a", "id": "1"})), (0, 0));
        let downloading = |id, current, total| json!({"status": "Downloading", "id": id, "progressDetail": {"current": current, "total": total}});
        assert_eq!(read(downloading("a", 10, 100)), (10, 100));
        assert_eq!(read(downloading("b", 5, 50)), (15, 150));
        assert_eq!(read(downloading("a", 60, 100)), (65, 150));
        assert_eq!(read(json!({"status": "Download complete", "id": "a", "progressDetail": {}})), (105, 150));
        let extracting = json!({"status": "Extracting", "id": "a", "progressDetail": {"current": 1, "total": 100}});
        assert_eq!(read(extracting), (105, 150));
        assert_eq!(read(downloading("c", 7, -1)), (112, 157));
        assert_eq!(read(json!({"status": "Status: Downloaded newer image for a"})), (112, 157));
    }

    #[test]
    fn an_image_made_here_has_no_registry_digest() {
        let read = |answer| image("a:1", serde_json::from_value(answer).expect("an image")).repository_digest;
        let digests = json!(["a@sha256:1"]);
        assert_eq!(read(json!({"Id": "sha256:0", "RepoDigests": digests})).as_deref(), Some("sha256:1"));
        assert_eq!(read(json!({"Id": "sha256:0", "RepoDigests": []})), None);
        assert_eq!(read(json!({"Id": "sha256:0", "RepoDigests": digests, "Identity": {"Build": [{}]}})), None);
        let pulled = json!({"Id": "sha256:0", "RepoDigests": digests, "Identity": {"Pull": [{"Repository": "a"}]}});
        assert_eq!(read(pulled).as_deref(), Some("sha256:1"));
    }
}
