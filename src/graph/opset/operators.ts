// Written by operators.py; not to be edited.

/**
 * The operators of ai.onnx opset 18 (those that are newer, of 24) and of com.microsoft, one a line: the fewest and
 * most inputs (after ? those that may be absent all the same), the fewest and most outputs (* for any number),
 * attributes with their kinds, ! where required.
 */
export const operatorTable = `
Abs 1-1 1-1
Acos 1-1 1-1
Acosh 1-1 1-1
Add 2-2 1-1
Affine 1-1 1-1 alpha:float beta:float
AffineGrid 2-2 1-1 align_corners:int
And 2-2 1-1
ArgMax 1-1 1-1 axis:int keepdims:int select_last_index:int
ArgMin 1-1 1-1 axis:int keepdims:int select_last_index:int
Asin 1-1 1-1
Asinh 1-1 1-1
Atan 1-1 1-1
Atanh 1-1 1-1
Attention 3-7 1-4 is_causal:int kv_num_heads:int q_num_heads:int qk_matmul_output_mode:int scale:float softcap:float softmax_precision:int
AveragePool 1-1 1-1 auto_pad:string ceil_mode:int count_include_pad:int kernel_shape:ints! pads:ints strides:ints
BatchNormalization 5-5 1-3 epsilon:float momentum:float training_mode:int
Bernoulli 1-1 1-1 dtype:int seed:float
BitCast 1-1 1-1 to:int!
BitShift 2-2 1-1 direction:string!
BitwiseAnd 2-2 1-1
BitwiseNot 1-1 1-1
BitwiseOr 2-2 1-1
BitwiseXor 2-2 1-1
BlackmanWindow 1-1 1-1 output_datatype:int periodic:int
Cast 1-1 1-1 to:int!
CastLike 2-2 1-1
CausalConvWithState 2-4 2-2 activation:string
Ceil 1-1 1-1
Celu 1-1 1-1 alpha:float
CenterCropPad 2-2 1-1 axes:ints
Clip 1-3 1-1
Col2Im 3-3 1-1 dilations:ints pads:ints strides:ints
Compress 2-2 1-1 axis:int
Concat 1-* 1-1 axis:int!
ConcatFromSequence 1-1 1-1 axis:int! new_axis:int
Constant 0-0 1-1 sparse_value:sparse_tensor value:tensor value_float:float value_floats:floats value_int:int value_ints:ints value_string:string value_strings:strings
ConstantOfShape 1-1 1-1 value:tensor
Conv 2-3 1-1 auto_pad:string dilations:ints group:int kernel_shape:ints pads:ints strides:ints
ConvInteger 2-4 1-1 auto_pad:string dilations:ints group:int kernel_shape:ints pads:ints strides:ints
ConvTranspose 2-3 1-1 auto_pad:string dilations:ints group:int kernel_shape:ints output_padding:ints output_shape:ints pads:ints strides:ints
Cos 1-1 1-1
Cosh 1-1 1-1
Crop 1-1 1-1 border:ints scale:ints
CumProd 2-2 1-1 exclusive:int reverse:int
CumSum 2-2 1-1 exclusive:int reverse:int
DFT 1-2 1-1 axis:int inverse:int onesided:int
DeformConv 3-5 1-1 dilations:ints group:int kernel_shape:ints offset_group:int pads:ints strides:ints
DepthToSpace 1-1 1-1 blocksize:int! mode:string
DequantizeLinear 2-3 1-1 axis:int
Det 1-1 1-1
DisentangledAttention_TRT 3-3 1-1 factor:float! span:int!
Div 2-2 1-1
Dropout 1-3 1-2 seed:int
DynamicQuantizeLinear 1-1 3-3
DynamicSlice 3-4 1-1
EfficientNMS_TRT 2-3 4-4 background_class:int! box_coding:int! iou_threshold:float! max_output_boxes:int! plugin_version:string! score_activation:int! score_threshold:float!
Einsum 1-* 1-1 equation:string!
Elu 1-1 1-1 alpha:float
Equal 2-2 1-1
Erf 1-1 1-1
Exp 1-1 1-1
Expand 2-2 1-1
EyeLike 1-1 1-1 dtype:int k:int
Flatten 1-1 1-1 axis:int
Floor 1-1 1-1
GRU 3-6 0-2 activation_alpha:floats activation_beta:floats activations:strings clip:float direction:string hidden_size:int layout:int linear_before_reset:int
GRUUnit 4-4 1-1 drop_states:int
Gather 2-2 1-1 axis:int
GatherElements 2-2 1-1 axis:int
GatherND 2-2 1-1 batch_dims:int
Gelu 1-1 1-1 approximate:string
Gemm 2-3 1-1 alpha:float beta:float transA:int transB:int
GivenTensorFill 0-1 1-1 extra_shape:ints input_as_shape:int shape:ints values:floats
GlobalAveragePool 1-1 1-1
GlobalLpPool 1-1 1-1 p:int
GlobalMaxPool 1-1 1-1
Greater 2-2 1-1
GreaterOrEqual 2-2 1-1
GridSample 2-2 1-1 align_corners:int mode:string padding_mode:string
GroupNormalization 3-3 1-1 epsilon:float num_groups:int!
HammingWindow 1-1 1-1 output_datatype:int periodic:int
HannWindow 1-1 1-1 output_datatype:int periodic:int
HardSigmoid 1-1 1-1 alpha:float beta:float
HardSwish 1-1 1-1
Hardmax 1-1 1-1 axis:int
Identity 1-1 1-1
If 1-1 1-* else_branch:graph! then_branch:graph!
ImageDecoder 1-1 1-1 pixel_format:string
ImageScaler 1-1 1-1 bias:floats scale:float
InstanceNormalization 3-3 1-1 epsilon:float
IsInf 1-1 1-1 detect_negative:int detect_positive:int
IsNaN 1-1 1-1
LRN 1-1 1-1 alpha:float beta:float bias:float size:int!
LSTM 3-8 0-3 activation_alpha:floats activation_beta:floats activations:strings clip:float direction:string hidden_size:int input_forget:int layout:int
LayerNormalization 2-3 1-3 axis:int epsilon:float stash_type:int
LeakyRelu 1-1 1-1 alpha:float
Less 2-2 1-1
LessOrEqual 2-2 1-1
LinearAttention 3-6 2-2 chunk_size:int kv_num_heads:int! q_num_heads:int! scale:float update_rule:string
Log 1-1 1-1
LogSoftmax 1-1 1-1 axis:int
Loop 2-*?0,1 1-* body:graph!
LpNormalization 1-1 1-1 axis:int p:int
LpPool 1-1 1-1 auto_pad:string ceil_mode:int dilations:ints kernel_shape:ints! p:int pads:ints strides:ints
MatMul 2-2 1-1
MatMulInteger 2-4 1-1
Max 1-* 1-1
MaxPool 1-1 1-2 auto_pad:string ceil_mode:int dilations:ints kernel_shape:ints! pads:ints storage_order:int strides:ints
MaxRoiPool 2-2 1-1 pooled_shape:ints! spatial_scale:float
MaxUnpool 2-3 1-1 kernel_shape:ints! pads:ints strides:ints
Mean 1-* 1-1
MeanVarianceNormalization 1-1 1-1 axes:ints
MelWeightMatrix 5-5 1-1 output_datatype:int
MemcpyFromHost 1-1 1-1
MemcpyToHost 1-1 1-1
Min 1-* 1-1
Mish 1-1 1-1
Mod 2-2 1-1 fmod:int
Mul 2-2 1-1
MultilevelCropAndResize_TRT 5-5 1-1 image_size:ints! plugin_version:string! pooled_size:int!
Multinomial 1-1 1-1 dtype:int sample_size:int seed:float
Neg 1-1 1-1
NegativeLogLikelihoodLoss 2-3 1-1 ignore_index:int reduction:string
NonMaxSuppression 2-5 1-1 center_point_box:int
NonZero 1-1 1-1
Not 1-1 1-1
OneHot 3-3 1-1 axis:int
Optional 0-1 1-1 type:type_proto
OptionalGetElement 1-1 1-1
OptionalHasElement 0-1 1-1
Or 2-2 1-1
PRelu 2-2 1-1
Pad 2-4 1-1 mode:string
ParametricSoftplus 1-1 1-1 alpha:float beta:float
Pow 2-2 1-1
PyramidROIAlign_TRT 5-5 1-1 plugin_version:string! pooled_size:int!
QLinearConv 8-9 1-1 auto_pad:string dilations:ints group:int kernel_shape:ints pads:ints strides:ints
QLinearMatMul 8-8 1-1
QuantizeLinear 2-3 1-1 axis:int
RMSNormalization 2-2 1-1 axis:int epsilon:float stash_type:int
RNN 3-6 0-2 activation_alpha:floats activation_beta:floats activations:strings clip:float direction:string hidden_size:int layout:int
RandomNormal 0-0 1-1 dtype:int mean:float scale:float seed:float shape:ints!
RandomNormalLike 1-1 1-1 dtype:int mean:float scale:float seed:float
RandomUniform 0-0 1-1 dtype:int high:float low:float seed:float shape:ints!
RandomUniformLike 1-1 1-1 dtype:int high:float low:float seed:float
Range 3-3 1-1
Reciprocal 1-1 1-1
ReduceL1 1-2 1-1 keepdims:int noop_with_empty_axes:int
ReduceL2 1-2 1-1 keepdims:int noop_with_empty_axes:int
ReduceLogSum 1-2 1-1 keepdims:int noop_with_empty_axes:int
ReduceLogSumExp 1-2 1-1 keepdims:int noop_with_empty_axes:int
ReduceMax 1-2 1-1 keepdims:int noop_with_empty_axes:int
ReduceMean 1-2 1-1 keepdims:int noop_with_empty_axes:int
ReduceMin 1-2 1-1 keepdims:int noop_with_empty_axes:int
ReduceProd 1-2 1-1 keepdims:int noop_with_empty_axes:int
ReduceSum 1-2 1-1 keepdims:int noop_with_empty_axes:int
ReduceSumSquare 1-2 1-1 keepdims:int noop_with_empty_axes:int
RegexFullMatch 1-1 1-1 pattern:string
Relu 1-1 1-1
Reshape 2-2 1-1 allowzero:int
Resize 1-4 1-1 antialias:int axes:ints coordinate_transformation_mode:string cubic_coeff_a:float exclude_outside:int extrapolation_value:float keep_aspect_ratio_policy:string mode:string nearest_mode:string
ReverseSequence 2-2 1-1 batch_axis:int time_axis:int
RoiAlign 3-3 1-1 coordinate_transformation_mode:string mode:string output_height:int output_width:int sampling_ratio:int spatial_scale:float
RotaryEmbedding 3-4 1-1 interleaved:int num_heads:int rotary_embedding_dim:int
Round 1-1 1-1
STFT 2-4 1-1 onesided:int
Scale 1-1 1-1 scale:float
ScaledTanh 1-1 1-1 alpha:float beta:float
Scan 1-* 1-* body:graph! num_scan_inputs:int! scan_input_axes:ints scan_input_directions:ints scan_output_axes:ints scan_output_directions:ints
Scatter 3-3 1-1 axis:int
ScatterElements 3-3 1-1 axis:int reduction:string
ScatterND 3-3 1-1 reduction:string
Selu 1-1 1-1 alpha:float gamma:float
SequenceAt 2-2 1-1
SequenceConstruct 1-* 1-1
SequenceEmpty 0-0 1-1 dtype:int
SequenceErase 1-2 1-1
SequenceInsert 2-3 1-1
SequenceLength 1-1 1-1
SequenceMap 1-* 1-* body:graph!
Shape 1-1 1-1 end:int start:int
Shrink 1-1 1-1 bias:float lambd:float
Sigmoid 1-1 1-1
Sign 1-1 1-1
SimplifiedLayerNormalization 2-2 1-2 axis:int epsilon:float stash_type:int
Sin 1-1 1-1
Sinh 1-1 1-1
Size 1-1 1-1
Slice 3-5 1-1
Softmax 1-1 1-1 axis:int
SoftmaxCrossEntropyLoss 2-3 1-2 ignore_index:int reduction:string
Softplus 1-1 1-1
Softsign 1-1 1-1
SpaceToDepth 1-1 1-1 blocksize:int!
Split 1-2 1-* axis:int num_outputs:int
SplitToSequence 1-2 1-1 axis:int keepdims:int
Sqrt 1-1 1-1
Squeeze 1-2 1-1
StringConcat 2-2 1-1
StringNormalizer 1-1 1-1 case_change_action:string is_case_sensitive:int locale:string stopwords:strings
StringSplit 1-1 2-2 delimiter:string maxsplit:int
Sub 2-2 1-1
Sum 1-* 1-1
SwiGLU 2-2 1-1 alpha:float
Swish 1-1 1-1 alpha:float
Tan 1-1 1-1
Tanh 1-1 1-1
TensorScatter 2-3 1-1 axis:int mode:string
TfIdfVectorizer 1-1 1-1 max_gram_length:int! max_skip_count:int! min_gram_length:int! mode:string! ngram_counts:ints! ngram_indexes:ints! pool_int64s:ints pool_strings:strings weights:floats
ThresholdedRelu 1-1 1-1 alpha:float
Tile 2-2 1-1
TopK 2-2 2-2 axis:int largest:int sorted:int
Transpose 1-1 1-1 perm:ints
Trilu 1-2 1-1 upper:int
Unique 1-1 1-4 axis:int sorted:int
Unsqueeze 2-2 1-1
Upsample 2-2 1-1 mode:string
Where 3-3 1-1
Xor 2-2 1-1
com.microsoft::Attention 2-7 1-2 do_rotary:int mask_filter_value:float num_heads:int! past_present_share_buffer:int qkv_hidden_sizes:ints rotary_embedding_dim:int scale:float unidirectional:int
com.microsoft::BiasAdd 3-3 1-1
com.microsoft::BiasDropout 2-5 1-2 seed:int
com.microsoft::BiasGelu 2-2 1-1
com.microsoft::BiasSoftmax 2-2 1-1 axis:int is_inner_broadcast:int!
com.microsoft::BiasSplitGelu 2-2 1-1
com.microsoft::DecoderAttention 12-12?5,6,7 1-3 mask_filter_value:float num_heads:int!
com.microsoft::EmbedLayerNormalization 7-9?1,4 1-3 epsilon:float mask_index_type:int
com.microsoft::ExpandDims 2-2 1-1
com.microsoft::FastGelu 1-2 1-1
com.microsoft::FusedConv 2-4 1-1 activation:string activation_params:floats auto_pad:string dilations:ints group:int kernel_shape:ints pads:ints strides:ints
com.microsoft::FusedGemm 2-3 1-1 activation:string activation_alpha:float activation_beta:float activation_gamma:float alpha:float beta:float transA:int transB:int
com.microsoft::FusedMatMul 2-2 1-1 alpha:float transA:int transB:int transBatchA:int transBatchB:int
com.microsoft::FusedMatMulActivation 2-2 1-1 activation:string! activation_alpha:float activation_axis:int activation_beta:float activation_gamma:float alpha:float transA:int transB:int transBatchA:int transBatchB:int
com.microsoft::GatedRelativePositionBias 6-7 1-1 num_heads:int!
com.microsoft::Gelu 1-1 1-1
com.microsoft::GemmFastGelu 2-3 1-1
com.microsoft::GroupQueryAttention 7-17?1,2,3,4 1-4 causal:int do_rotary:int k_norm_epsilon:float k_quant_type:string kv_cache_bit_width:int kv_num_heads:int! local_window_size:int num_heads:int! q_norm_epsilon:float qk_norm_epsilon:float qk_output:int rotary_interleaved:int scale:float sliding_window_cache:int smooth_softmax:int softcap:float v_quant_type:string
com.microsoft::Inverse 1-1 1-1
com.microsoft::LongformerAttention 7-7 1-1 num_heads:int! window:int!
com.microsoft::MultiHeadAttention 1-10 1-4 mask_filter_value:float num_heads:int! scale:float unidirectional:int
com.microsoft::PackedAttention 5-6 1-1 num_heads:int! qkv_hidden_sizes:ints scale:float
com.microsoft::PackedMultiHeadAttention 6-7?1,2,3 1-1 mask_filter_value:float num_heads:int! scale:float
com.microsoft::Pad 2-3 1-1 mode:string
com.microsoft::QuickGelu 1-1 1-1 alpha:float
com.microsoft::RelativePositionBias 3-3 1-1 is_bidirectional:int max_distance:int!
com.microsoft::RemovePadding 2-2 4-4
com.microsoft::RestorePadding 2-2 1-1
com.microsoft::RotaryEmbedding 4-4 1-1 interleaved:int is_packed_batching:int num_heads:int rotary_embedding_dim:int scale:float
com.microsoft::SkipGroupNorm 4-5 1-2 activation:int! channels_last:int epsilon:float groups:int!
com.microsoft::SkipLayerNormalization 3-5 1-4 epsilon:float
com.microsoft::SkipSimplifiedLayerNormalization 3-4 1-4 epsilon:float
com.microsoft::SparseAttention 9-11?1,2 3-3 do_rotary:int kv_num_heads:int! num_heads:int! rotary_interleaved:int scale:float sparse_block_size:int!
com.microsoft::Trilu 1-2 1-1 upper:int
com.microsoft::Unique 1-1 3-3
`;
